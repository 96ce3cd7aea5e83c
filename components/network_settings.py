"""The section `network` of a stack file."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.existing_network import ExistingNetworkSettings, RangeName
from components.nat import NatSettings
from components.settings import PrivateRange, Settings


class FlowLogSettings(Settings):
    """VPC flow logs (CIS GCP 3.8)."""

    sampling: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of the flows that is logged."""

    interval: Literal["5_SEC", "30_SEC", "1_MIN", "5_MIN", "10_MIN", "15_MIN"] = "5_SEC"
    """How long flows are added up before they are logged."""

    metadata: Literal["INCLUDE_ALL_METADATA", "EXCLUDE_ALL_METADATA"] = "INCLUDE_ALL_METADATA"
    """Whether names of VMs and networks are logged with the addresses."""


PROXY_ONLY = "REGIONAL_MANAGED_PROXY"
"""Purpose of a subnet of Google's proxies, which takes no machines."""

_SMALLEST = {"nodes": 28, "proxies": 26}
"""Prefixes of the smallest ranges; 23 for pods. https://cloud.google.com/load-balancing/docs/proxy-only-subnets"""

_OF_THE_OWNER = ("flow_logs", "nat", "dns_logs", "database_endpoints", "redis_endpoints")
"""Settings of what the owner of an existing network decides."""


class NetworkSettings(Settings):
    """Address ranges and logging. Ranges of all environments are disjoint, so that any two can be connected."""

    nodes: PrivateRange
    """Primary range of the subnet: nodes, internal load balancers and private endpoints; that of an existing one."""

    pods: PrivateRange
    """Range for pods; each node takes a /24 of it."""

    extra_pods: dict[RangeName, PrivateRange] = Field(default_factory=dict)
    """More ranges for pods, by their name in the subnet, for a cluster that has outgrown its first."""

    proxies: PrivateRange | None = None
    """Range of the proxy-only subnet of `gateway.internal`, a /26 or larger; that of an existing one."""

    existing: ExistingNetworkSettings | None = None
    """A network and a subnet that exist, such as those of a Shared VPC; left out, the environment creates its own."""

    flow_logs: FlowLogSettings = FlowLogSettings()
    """Sampling of the flow logs."""

    nat: NatSettings = NatSettings()
    """Cloud NAT."""

    dns_logs: bool = True
    """Whether every name that is asked for is logged (CIS GCP 2.12)."""

    database_endpoints: Annotated[int, Field(ge=1, le=64)] = 8
    """How many private Cloud SQL endpoints the subnet may hold."""

    redis_endpoints: Annotated[int, Field(ge=2, le=128)] = 16
    """How many private Redis endpoints the subnet may hold; an instance has two."""

    def ranges(self) -> dict[str, ipaddress.IPv4Network]:
        """All address ranges by the key that sets them."""
        named = {"nodes": self.nodes, "pods": self.pods}
        named |= {f"extra_pods.{key}": block for key, block in self.extra_pods.items()}
        named |= {} if self.proxies is None else {"proxies": self.proxies}
        return {key: ipaddress.IPv4Network(block) for key, block in named.items()}

    @model_validator(mode="after")
    def _ranges_disjoint_and_large_enough(self) -> Self:
        ranges = list(self.ranges().items())
        for index, (key, block) in enumerate(ranges):
            for other_key, other in ranges[index + 1 :]:
                if block.overlaps(other):
                    raise ValueError(f"{key} {block} overlaps {other_key} {other}; choose disjoint ranges")
            smallest = _SMALLEST.get(key, 23)
            if block.prefixlen > smallest:
                raise ValueError(f"{key} {block} is too small; it needs a /{smallest} or larger")
        return self

    @model_validator(mode="after")
    def _owner_decides(self) -> Self:
        if self.existing is None:
            return self
        for key in _OF_THE_OWNER:
            if key in self.model_fields_set:
                raise ValueError(f"{key} is decided by the owner of the network in existing; remove it here")
        if self.existing.pods_range in self.extra_pods:
            raise ValueError(f"extra_pods.{self.existing.pods_range} is the range of pods already; remove one")
        return self
