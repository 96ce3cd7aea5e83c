"""Redis of services on this machine: one for each instance of Memorystore for Valkey in the simulated cloud.

An instance starts with the first connection. This machine has no metadata server, so its clients connect without TLS
and without a login: the template's tests cover both (tests/delivery/test_redis.py).
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from atwork.errors import SandboxError
from atwork.pipeline.service_stores import ServiceStores
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.service_network import Neighbor
from components.jenkins.stores import STORES
from components.type_tokens import REDIS_INSTANCE

_HOST = "memorystore"
_REDIS = STORES["redis"]


class ServiceRedis(ServiceStores):
    """The instances that pods connect to, by their address in the simulated cloud."""

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
        return [Neighbor([_HOST], {_REDIS.port: lambda: self._connected(known[_REDIS.variable])})]

    def _connected(self, address: str) -> socket.socket:
        return self.connected(address, _REDIS.port, lambda: self.started(self._instance(address), "redis.log")[0])

    def _instance(self, address: str) -> str:
        """The name of the instance with an address."""
        host = urlsplit(address).hostname
        for item in self.cloud.objects("", REDIS_INSTANCE):
            endpoints: Any = item.outputs.get("endpoints") or ()
            connections = [each["pscAutoConnection"] for endpoint in endpoints for each in endpoint["connections"]]
            if host in [each["ipAddress"] for each in connections]:
                return item.id.rpartition("/")[2]
        raise SandboxError(f"{address}: no Redis has this address in the sandbox; run `atwork sandbox up`")
