"""Databases of services on this machine: a PostgreSQL for each instance of Cloud SQL in the simulated cloud.

An instance starts with the first connection. It gets the databases and users of the simulated cloud, and then runs the
commands of the Jobs that give rights (components/service_rights.py), as they are in the cluster. What an update adds
later is there at the next connection.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from atwork.errors import SandboxError
from atwork.pipeline.cloud_sql import CloudSqlInstance, CloudSqlUser
from atwork.pipeline.service_stores import RunningStore, ServiceStores
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.service_network import Neighbor
from atwork.sandbox.provider.values import reveal
from components.database_administrator import NAMESPACE
from components.database_engine import engine_of
from components.database_job import COMPONENT, COMPONENT_LABEL
from components.jenkins.stores import STORES
from components.type_tokens import DATABASE, DATABASE_INSTANCE, DATABASE_USER

_HOST = "cloud-sql"
_POSTGRES = STORES["postgres"]


@dataclass(frozen=True)
class _Content:
    """What an instance has to have."""

    databases: tuple[str, ...]
    users: tuple[CloudSqlUser, ...]
    commands: tuple[tuple[tuple[str, ...], tuple[tuple[str, str], ...]], ...]
    """Those of the Jobs, each with its variables."""


@dataclass
class ServiceDatabases(ServiceStores):
    """The instances that pods connect to, by connection name."""

    _prepared: dict[str, tuple[RunningStore, _Content]] = field(
        default_factory=dict[str, tuple[RunningStore, _Content]]
    )
    """What a container has, by the name of the instance; another container of it has to be prepared again."""

    def existing(self) -> set[str]:
        """The names of all instances in the simulated cloud."""
        return {_name(item.outputs["connectionName"]) for item in self.cloud.objects("", DATABASE_INSTANCE)}

    @staticmethod
    def variables(known: Mapping[str, str]) -> dict[str, str]:
        """What a container with these variables gets in addition: its database is at this address instead."""
        if "DATABASE_INSTANCE" not in known or _POSTGRES.variable in known:
            return {}
        user = quote(known["DATABASE_USER"], safe="")
        return {_POSTGRES.variable: f"postgresql://{user}@{_HOST}:{_POSTGRES.port}/{known['DATABASE_NAME']}"}

    def neighbors(self, api: Api, known: Mapping[str, str]) -> list[Neighbor]:
        """The database of a pod with these variables in a cluster."""
        if not self.variables(known):
            return []
        return [Neighbor([_HOST], {_POSTGRES.port: lambda: self.connect(api, known["DATABASE_INSTANCE"])})]

    def connect(self, api: Api, connection: str) -> socket.socket:
        """A connection to an instance, with what the simulated cloud and a cluster say that it has."""
        content = self._content(api, connection)
        name = _name(connection)
        return self.connected(name, _POSTGRES.port, lambda running: self._prepare(name, running, content))

    def _prepare(self, name: str, running: RunningStore, content: _Content) -> None:
        prepared = self._prepared.get(name)
        before = prepared[1] if prepared is not None and prepared[0] is running else None
        if before == content:
            return
        instance = CloudSqlInstance(running.container, running.folder / "statements.log")
        instance.add(content.databases, content.users)
        for command, variables in content.commands:
            if before is None or (command, variables) not in before.commands:
                instance.execute(list(command), dict(variables))
        self._prepared[name] = (running, content)

    def _content(self, api: Api, connection: str) -> _Content:
        """Databases and users of an instance in the simulated cloud, and commands of Jobs in a cluster."""
        name = connection.rpartition(":")[2]
        instances = [item for item in self.cloud.objects("", DATABASE_INSTANCE) if item.id == name]
        if not instances:
            raise SandboxError(f"{connection}: no such Cloud SQL instance in the sandbox; run `atwork sandbox up`")
        version = instances[0].inputs["databaseVersion"]
        if engine_of(version) != "POSTGRES":
            raise SandboxError(f"{connection} is of {version}, and this machine has only PostgreSQL for services")

        def inputs(kind: str) -> list[Mapping[str, Any]]:
            every = [reveal(item.inputs) for item in self.cloud.objects("", kind)]
            return [resource for resource in every if resource["instance"] == name]

        users = tuple(
            CloudSqlUser(user["name"], user["type"], tuple(user.get("databaseRoles") or ()))
            for user in inputs(DATABASE_USER)
        )
        clients = [job["spec"]["template"]["spec"]["containers"][0] for job in _jobs(api, connection)]
        commands = tuple(
            (tuple(client["command"]), tuple((pair["name"], pair["value"]) for pair in client["env"]))
            for client in clients
        )
        return _Content(tuple(database["name"] for database in inputs(DATABASE)), users, commands)


def _name(connection: str) -> str:
    return connection.replace(":", "-")


def _jobs(api: Api, connection: str) -> Iterator[Mapping[str, Any]]:
    """The Jobs of a cluster that give rights in an instance, those of the administrator first."""
    jobs = api.all("/apis/batch/v1/jobs", labelSelector=f"{COMPONENT_LABEL}={COMPONENT}")
    for job in sorted(jobs, key=lambda job: job["metadata"]["namespace"] != NAMESPACE):
        [proxy] = job["spec"]["template"]["spec"]["initContainers"]
        if proxy["args"][-1] == connection:
            yield job
