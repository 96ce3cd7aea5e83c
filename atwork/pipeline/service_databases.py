"""Databases of services on this machine: a PostgreSQL for each instance of Cloud SQL in the simulated cloud.

An instance starts with the first connection. It gets the databases and users of the simulated cloud, and then runs the
commands of the Jobs that give rights (components/service_rights.py), as they are in the cluster.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from atwork.containers import network
from atwork.containers.namespaces import Namespaces, namespaces
from atwork.errors import SandboxError
from atwork.pipeline.build_containers import build_container, run_store
from atwork.pipeline.cloud_sql import CloudSqlInstance, CloudSqlUser
from atwork.pipeline.leftovers import remove_folders
from atwork.pipeline.workload import Neighbor
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.provider.values import reveal
from components.database_administrator import NAMESPACE
from components.database_engine import engine_of
from components.database_job import COMPONENT, COMPONENT_LABEL
from components.jenkins.stores import STORES
from components.type_tokens import DATABASE, DATABASE_INSTANCE, DATABASE_USER

_HOST = "cloud-sql"
_POSTGRES = STORES["postgres"]


@dataclass
class ServiceDatabases:
    """The instances that pods connect to, by connection name."""

    settings: Mapping[str, Any]
    """The container of the store in pods of tests."""
    cloud: Cloud
    crane: Path
    login: Mapping[str, str]
    folder: Path
    _stack: ExitStack = field(default_factory=ExitStack)
    _running: dict[str, Namespaces] = field(default_factory=dict[str, Namespaces])
    _lock: threading.Lock = field(default_factory=threading.Lock)

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
        return [Neighbor([_HOST], {_POSTGRES.port: lambda: self._dial(api, known["DATABASE_INSTANCE"])})]

    def close(self) -> None:
        """End all instances."""
        self._stack.close()
        for folder in self.folder.iterdir() if self.folder.exists() else ():
            remove_folders(folder)

    def _dial(self, api: Api, connection: str) -> socket.socket:
        with self._lock:
            if connection not in self._running:
                self._running[connection] = self._start(api, connection)
        return network.connect(self._running[connection].pid, _POSTGRES.port)

    def _start(self, api: Api, connection: str) -> Namespaces:
        databases, users = self._content(connection)
        folder = self.folder / connection.replace(":", "-")
        (folder / "workspace").mkdir(parents=True)
        inside = self._stack.enter_context(namespaces(own_network=True))
        container = build_container(self.settings, inside, self.crane, self.login, folder)
        process = run_store(self.settings, container, folder / "postgres.log")
        self._stack.callback(process.wait)
        self._stack.callback(os.kill, inside.pid, signal.SIGKILL)
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
