"""The VPC of an environment: one subnet with room for nodes and pods, the way out, and the way to Google's services.

Owns: network, subnet, router and NAT, the deny-all firewall rule, private DNS for Google's APIs, and the
service connection policy through which Cloud SQL gets its private endpoint.
Does not own: the firewall rules that GKE makes for its own cluster, and peering (environments do not talk).

Traps: flow logs are billed by volume, so each environment chooses its sampling. NAT is in nat.py, private DNS in
google_dns.py.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import pulumi
import pulumi_gcp as gcp
from pydantic import Field, model_validator

from components.forms import TextForm
from components.google_dns import private_google_dns
from components.nat import NatSettings, nat_gateway
from components.settings import PrivateRange, Region, Settings


class FlowLogSettings(Settings):
    """VPC flow logs (CIS GCP 3.8)."""

    sampling: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of the flows that is logged."""

    interval: Literal["5_SEC", "30_SEC", "1_MIN", "5_MIN", "10_MIN", "15_MIN"] = "5_SEC"
    """How long flows are added up before they are logged."""

    metadata: Literal["INCLUDE_ALL_METADATA", "EXCLUDE_ALL_METADATA"] = "INCLUDE_ALL_METADATA"
    """Whether names of VMs and networks are logged with the addresses."""


RangeName = Annotated[
    str,
    TextForm(
        r"^[a-z][a-z0-9-]{0,61}[a-z0-9]$",
        "a name of 2 to 63 lower-case letters, digits and hyphens, a letter first",
        "pods-2",
    ),
]
"""Key of a range for pods."""


class NetworkSettings(Settings):
    """Address ranges and logging. Ranges of all environments are disjoint, so that any two can be connected."""

    nodes: PrivateRange
    """Primary range of the subnet: nodes, internal load balancers and private endpoints."""

    pods: PrivateRange
    """Range for pods; each node takes a /24 of it."""

    extra_pods: dict[RangeName, PrivateRange] = Field(default_factory=dict)
    """More ranges for pods, by name, for a cluster that has outgrown its first."""

    flow_logs: FlowLogSettings = FlowLogSettings()
    """Sampling of the flow logs."""

    nat: NatSettings = NatSettings()
    """Cloud NAT."""

    dns_logs: bool = True
    """Whether every name that is asked for is logged (CIS GCP 2.12)."""

    database_endpoints: Annotated[int, Field(ge=1, le=64)] = 8
    """How many private Cloud SQL endpoints the subnet may hold."""

    def ranges(self) -> dict[str, ipaddress.IPv4Network]:
        """All address ranges by the key that sets them."""
        named = {"nodes": self.nodes, "pods": self.pods}
        named |= {f"extra_pods.{key}": block for key, block in self.extra_pods.items()}
        return {key: ipaddress.IPv4Network(block) for key, block in named.items()}

    @model_validator(mode="after")
    def _ranges_disjoint_and_large_enough(self) -> Self:
        ranges = list(self.ranges().items())
        for index, (key, block) in enumerate(ranges):
            for other_key, other in ranges[index + 1 :]:
                if block.overlaps(other):
                    raise ValueError(f"{key} {block} overlaps {other_key} {other}; choose disjoint ranges")
            smallest = 28 if key == "nodes" else 23
            if block.prefixlen > smallest:
                raise ValueError(f"{key} {block} is too small; it needs a /{smallest} or larger")
        return self


@dataclass(frozen=True)
class NetworkRefs:
    """What other components need to stand in the network."""

    network_id: pulumi.Output[str]
    subnetwork_id: pulumi.Output[str]
    pods_range_name: str
    extra_pods_range_names: tuple[str, ...]

    def ip_allocation(self) -> gcp.container.ClusterIpAllocationPolicyArgsDict:
        """A cluster's `ip_allocation_policy`. No range for services: GKE takes its own, 34.118.224.0/20."""
        policy: gcp.container.ClusterIpAllocationPolicyArgsDict = {
            "cluster_secondary_range_name": self.pods_range_name,
            "stack_type": "IPV4",
        }
        if self.extra_pods_range_names:
            policy["additional_pod_ranges_config"] = {"pod_range_names": list(self.extra_pods_range_names)}
        return policy


class Network(pulumi.ComponentResource):
    """A regional VPC with private Google access and no way in."""

    refs: NetworkRefs
    database_policy: gcp.networkconnectivity.ServiceConnectionPolicy
    nat_addresses: pulumi.Output[list[str]]

    def __init__(
        self,
        name: str,
        settings: NetworkSettings,
        *,
        region: Region,
        physical_name: str,
        protect_addresses: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:network:Network", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        network = gcp.compute.Network(
            f"{name}-vpc",
            name=physical_name,
            auto_create_subnetworks=False,
            routing_mode="REGIONAL",
            delete_default_routes_on_create=False,
            opts=child,
        )
        subnetwork = gcp.compute.Subnetwork(
            f"{name}-subnet",
            name=f"{physical_name}-{region}",
            network=network.id,
            region=region,
            ip_cidr_range=settings.nodes,
            secondary_ip_ranges=[
                {"range_name": key, "ip_cidr_range": block}
                for key, block in {"pods": settings.pods, **settings.extra_pods}.items()
            ],
            private_ip_google_access=True,
            log_config={
                "flow_sampling": settings.flow_logs.sampling,
                "aggregation_interval": f"INTERVAL_{settings.flow_logs.interval}",
                "metadata": settings.flow_logs.metadata,
            },
            opts=child,
        )
        # The implied rule denies too, but silently: this one leaves a log line (CIS GCP 3.6, 3.7; 65535 is its own).
        gcp.compute.Firewall(
            f"{name}-deny-ingress",
            name=f"{physical_name}-deny-ingress",
            network=network.id,
            direction="INGRESS",
            priority=65534,
            denies=[{"protocol": "all"}],
            source_ranges=["0.0.0.0/0"],
            log_config={"metadata": "INCLUDE_ALL_METADATA"},
            opts=child,
        )
        self.nat_addresses = nat_gateway(
            name,
            settings.nat,
            network=network,
            region=region,
            physical_name=physical_name,
            protect_addresses=protect_addresses,
            parent=self,
        )
        private_google_dns(name, network=network, physical_name=physical_name, opts=child)
        gcp.dns.Policy(
            f"{name}-dns",
            name=physical_name,
            description="Logging of names that are asked for",
            enable_logging=settings.dns_logs,
            networks=[{"network_url": network.id}],
            opts=child,
        )
        self.database_policy = gcp.networkconnectivity.ServiceConnectionPolicy(
            f"{name}-cloud-sql",
            name=f"{physical_name}-cloud-sql",
            location=region,
            service_class="google-cloud-sql",
            network=network.id,
            psc_config={"subnetworks": [subnetwork.id], "limit": str(settings.database_endpoints)},
            opts=child,
        )
        self.refs = NetworkRefs(network.id, subnetwork.id, "pods", tuple(settings.extra_pods))
        self.network_id, self.subnetwork_id = network.id, subnetwork.id
        self.register_outputs(
            {
                "network_id": self.network_id,
                "subnetwork_id": self.subnetwork_id,
                "nat_addresses": self.nat_addresses,
            }
        )
