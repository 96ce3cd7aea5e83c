"""Redis of services on this machine: one for each instance of Memorystore for Valkey in the simulated cloud.

An instance starts with the first connection. This machine has no metadata server, so its clients connect without TLS
and without a login: the template's tests cover both (tests/delivery/test_redis.py).
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from atwork.containers import network
from atwork.containers.namespaces import Namespaces, namespaces
from atwork.errors import SandboxError
from atwork.pipeline.build_containers import build_container, run_store
from atwork.pipeline.leftovers import remove_folders
from atwork.pipeline.workload import Neighbor
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters.api import Api
from components.jenkins.stores import STORES
from components.type_tokens import REDIS_INSTANCE

_HOST = "memorystore"
_REDIS = STORES["redis"]


@dataclass
class ServiceRedis:
    """The instances that pods connect to, by their address in the simulated cloud."""

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
        """What a container with these variables gets in addition: its Redis is at this address instead."""
        if known.get("REDIS_AUTH") != "iam":
            return {}
        return {_REDIS.variable: _REDIS.address.format(host=_HOST), "REDIS_AUTH": "", "REDIS_CA": ""}

    def neighbors(self, api: Api, known: Mapping[str, str]) -> list[Neighbor]:
        """The Redis of a pod with these variables."""
        del api
        if not self.variables(known):
            return []
        return [Neighbor([_HOST], {_REDIS.port: lambda: self._dial(known[_REDIS.variable])})]

    def close(self) -> None:
        """End all instances."""
        self._stack.close()
        for folder in self.folder.iterdir() if self.folder.exists() else ():
            remove_folders(folder)

    def _dial(self, address: str) -> socket.socket:
        with self._lock:
            if address not in self._running:
                self._running[address] = self._start(address)
        return network.connect(self._running[address].pid, _REDIS.port)

    def _start(self, address: str) -> Namespaces:
        folder = self.folder / self._instance(address)
        (folder / "workspace").mkdir(parents=True)
        inside = self._stack.enter_context(namespaces(own_network=True))
        container = build_container(self.settings, inside, self.crane, self.login, folder)
        process = run_store(self.settings, container, folder / "redis.log")
        self._stack.callback(process.wait)
        self._stack.callback(os.kill, inside.pid, signal.SIGKILL)
        return inside

    def _instance(self, address: str) -> str:
        """The name of the instance with an address."""
        host = urlsplit(address).hostname
        for item in self.cloud.objects("", REDIS_INSTANCE):
            endpoints: Any = item.outputs.get("endpoints") or ()
            connections = [each["pscAutoConnection"] for endpoint in endpoints for each in endpoint["connections"]]
            if host in [each["ipAddress"] for each in connections]:
                return item.id.rpartition("/")[2]
        raise SandboxError(f"{address}: no Redis has this address in the sandbox; run `atwork sandbox up`")
