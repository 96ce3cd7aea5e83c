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
    """The instances that pods connect to."""

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
        return [Neighbor([_HOST], {_REDIS.port: lambda: self.connect(known[_REDIS.variable])})]

    def connect(self, address: str) -> socket.socket:
        """A connection to the instance with an address."""
        return self.connected(self.instance(address).rpartition("/")[2], _REDIS.port)

    def existing(self) -> set[str]:
        """The names of all instances in the simulated cloud."""
        return {item.id.rpartition("/")[2] for item in self.cloud.objects("", REDIS_INSTANCE)}

    def instance(self, address: str) -> str:
        """The ID of the instance with an address; `SandboxError` if there is none."""
        host = urlsplit(address).hostname
        for item in self.cloud.objects("", REDIS_INSTANCE):
            endpoints: Any = item.outputs.get("endpoints") or ()
            connections = [each["pscAutoConnection"] for endpoint in endpoints for each in endpoint["connections"]]
            if host in [each["ipAddress"] for each in connections]:
                return item.id
        raise SandboxError(f"{address}: no Redis has this address in the sandbox; run `atwork sandbox up`")
