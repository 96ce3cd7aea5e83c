"""Databases of services on this machine: a PostgreSQL for each instance of Cloud SQL in the simulated cloud.

An instance starts with the first connection. It gets the databases and users of the simulated cloud, and then runs the
commands of the Jobs that give rights (components/service_rights.py), as they are in the cluster.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from atwork.containers.namespaces import Namespaces
from atwork.errors import SandboxError
from atwork.pipeline.cloud_sql import CloudSqlInstance, CloudSqlUser
from atwork.pipeline.service_stores import ServiceStores
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


class ServiceDatabases(ServiceStores):
    """The instances that pods connect to, by connection name."""

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
        return [Neighbor([_HOST], {_POSTGRES.port: lambda: self._connected(api, known["DATABASE_INSTANCE"])})]

    def _connected(self, api: Api, connection: str) -> socket.socket:
        return self.connected(connection, _POSTGRES.port, lambda: self._start(api, connection))

    def _start(self, api: Api, connection: str) -> Namespaces:
        databases, users = self._content(connection)
        inside, container, folder = self.started(connection.replace(":", "-"), "postgres.log")
        instance = CloudSqlInstance(container, folder / "statements.log")
        instance.setup(databases, users)
        for job in _jobs(api, connection):
            [psql] = job["spec"]["template"]["spec"]["containers"]
            instance.execute(psql["command"], {pair["name"]: pair["value"] for pair in psql["env"]})
        return inside

    def _content(self, connection: str) -> tuple[list[str], list[CloudSqlUser]]:
        """Databases and users of an instance in the simulated cloud."""
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

        users = [
            CloudSqlUser(user["name"], user["type"], tuple(user.get("databaseRoles") or ()))
            for user in inputs(DATABASE_USER)
        ]
        return [database["name"] for database in inputs(DATABASE)], users


def _jobs(api: Api, connection: str) -> Iterator[Mapping[str, Any]]:
    """The Jobs of a cluster that give rights in an instance, those of the administrator first."""
    jobs = api.all("/apis/batch/v1/jobs", labelSelector=f"{COMPONENT_LABEL}={COMPONENT}")
    for job in sorted(jobs, key=lambda job: job["metadata"]["namespace"] != NAMESPACE):
        [proxy] = job["spec"]["template"]["spec"]["initContainers"]
        if proxy["args"][-1] == connection:
            yield job
