"""What pods of a cluster reach: Services of their namespace, and a PostgreSQL in place of Cloud SQL."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atwork.containers.namespaces import Namespaces, namespaces
from atwork.errors import SandboxError
from atwork.pipeline import network
from atwork.pipeline.build_containers import start_store
from atwork.pipeline.leftovers import remove_folders
from atwork.pipeline.workload import Neighbor
from atwork.sandbox.clusters.api import Api
from components.jenkins.stores import STORES

_CLOUD_SQL = "cloud-sql"
_POSTGRES = STORES["postgres"]


@dataclass(frozen=True)
class ServiceNetwork:
    """The Services of a cluster."""

    api: Api
    dial_pod: Callable[[str, int], socket.socket]
    """Connects to a port of the pod with a UID."""

    def neighbors(self, pod: Mapping[str, Any]) -> list[Neighbor]:
        """The Services of a pod's namespace."""
        namespace, labels = pod["metadata"]["namespace"], pod["metadata"].get("labels") or {}
        neighbors: list[Neighbor] = []
        for service in self.api.all(f"/api/v1/namespaces/{namespace}/services"):
            name, selector = service["metadata"]["name"], service["spec"].get("selector") or {}
            own = bool(selector) and selector.items() <= labels.items()
            names = [name, f"{name}.{namespace}", f"{name}.{namespace}.svc.cluster.local"]
            ports = service["spec"].get("ports") or ()
            neighbors.append(Neighbor(names, {each["port"]: self._dial(namespace, name, each) for each in ports}, own))
        return neighbors

    def dial(self, namespace: str, service: str) -> network.Dial:
        """What connects to the first port of a Service; `SandboxError` if there is none."""
        manifest = self.api.get(self.api.place("v1", "Service"), namespace, service)
        if manifest is None:
            raise SandboxError(f"there is no service {namespace}/{service}")
        return self._dial(namespace, service, manifest["spec"]["ports"][0])

    def _dial(self, namespace: str, service: str, port: Mapping[str, Any]) -> network.Dial:
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"

        def dial() -> socket.socket:
            """Connect to a ready pod, as the EndpointSlices of the cluster say."""
            for piece in self.api.all(path, labelSelector=f"kubernetes.io/service-name={service}"):
                name = port.get("name", "")
                numbers = [each["port"] for each in piece.get("ports") or () if each.get("name", "") == name]
                for endpoint in piece.get("endpoints") or ():
                    uid = (endpoint.get("targetRef") or {}).get("uid")
                    if numbers and uid and (endpoint.get("conditions") or {}).get("ready"):
                        return self.dial_pod(uid, numbers[0])
            raise ConnectionRefusedError(f"{namespace}/{service} has no ready pod")

        return dial


@dataclass
class CloudSql:
    """A PostgreSQL on this machine, started by the first connection; all services share its one database."""

    settings: Mapping[str, Any]
    """The container of the store in pods of tests."""
    crane: Path
    login: Mapping[str, str]
    folder: Path
    _stack: ExitStack = field(default_factory=ExitStack)
    _inside: Namespaces | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def neighbor(self) -> Neighbor:
        """The database, as pods reach it."""
        return Neighbor([_CLOUD_SQL], {_POSTGRES.port: self._dial})

    @staticmethod
    def variables(known: Mapping[str, str]) -> dict[str, str]:
        """What a container with these variables gets in addition: its database is at this address instead."""
        wanted = "DATABASE_INSTANCE" in known and _POSTGRES.variable not in known
        return {_POSTGRES.variable: _POSTGRES.address.format(host=_CLOUD_SQL)} if wanted else {}

    def close(self) -> None:
        """End the database."""
        self._stack.close()
        remove_folders(self.folder)

    def _dial(self) -> socket.socket:
        with self._lock:
            if self._inside is None:
                self._inside = self._start()
        return network.connect(self._inside.pid, _POSTGRES.port)

    def _start(self) -> Namespaces:
        inside = self._stack.enter_context(namespaces(own_network=True))
        (self.folder / "workspace").mkdir(parents=True)
        process = start_store(self.settings, inside, self.crane, self.login, self.folder)
        self._stack.callback(process.wait)
        self._stack.callback(os.kill, inside.pid, signal.SIGKILL)
        return inside
