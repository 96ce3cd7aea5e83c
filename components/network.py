"""The VPC of an environment: one subnet with room for nodes and pods, the way out, and the way to Google's services.

Owns: network, subnet, router and NAT, the deny-all firewall rule, private DNS for Google's APIs, and the
service connection policy through which Cloud SQL gets its private endpoint.
Does not own: the firewall rules that GKE makes for its own cluster, and peering (environments do not talk).

Traps: NAT cannot hand out ports dynamically while endpoint-independent mapping is on, and the two port limits
must be powers of two. Flow logs are billed by volume, so each environment chooses its sampling.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import pulumi
import pulumi_gcp as gcp
from pydantic import AfterValidator, Field, model_validator

from components.settings import PrivateRange, Region, Settings

PRIVATE_GOOGLE_ADDRESSES = ("199.36.153.8", "199.36.153.9", "199.36.153.10", "199.36.153.11")
"""private.googleapis.com. https://cloud.google.com/vpc/docs/configure-private-google-access#domain-options"""

PRIVATE_GOOGLE_ZONES = {
    "googleapis": "googleapis.com.",
    "gcr": "gcr.io.",
    "pkg-dev": "pkg.dev.",
    "gke-goog": "gke.goog.",
}
"""Domains that are answered with the private addresses: the APIs, the registry, the clusters' DNS endpoints."""


def _power_of_two(ports: int) -> int:
    if ports & (ports - 1):
        raise ValueError(f"{ports} is not a power of two; Cloud NAT takes 64, 128, 256 and so on")
    return ports


Ports = Annotated[int, Field(ge=32, le=65536), AfterValidator(_power_of_two)]


class FlowLogSettings(Settings):
    """VPC flow logs (CIS GCP 3.8)."""

    sampling: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of the flows that is logged."""

    interval: Literal["5_SEC", "30_SEC", "1_MIN", "5_MIN", "10_MIN", "15_MIN"] = "5_SEC"
    """How long flows are added up before they are logged."""

    metadata: Literal["INCLUDE_ALL_METADATA", "EXCLUDE_ALL_METADATA"] = "INCLUDE_ALL_METADATA"
    """Whether names of VMs and networks are logged beside the addresses."""


class NatSettings(Settings):
    """The way out to the internet for nodes and pods, which have no public addresses."""

    static_addresses: Annotated[int, Field(ge=0, le=16)] = 0
    """Reserved addresses that partners can put on an allow-list; 0 lets Google choose and change them."""

    min_ports_per_vm: Ports = 64
    """Ports that each node holds from the start."""

    max_ports_per_vm: Ports = 4096
    """Ports that a busy node may grow to."""

    @model_validator(mode="after")
    def _ports_in_order(self) -> Self:
        if self.min_ports_per_vm >= self.max_ports_per_vm:
            raise ValueError(
                f"min_ports_per_vm {self.min_ports_per_vm} must be below max_ports_per_vm {self.max_ports_per_vm}"
            )
        return self


class NetworkSettings(Settings):
    """Address ranges and logging. Ranges of all environments are disjoint, so that any two can be connected."""

    nodes: PrivateRange
    """Primary range of the subnet: nodes, internal load balancers and private endpoints."""

    pods: PrivateRange
    """Range for pods; each node takes a /24 of it."""

    extra_pods: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,61}[a-z0-9]$")], PrivateRange] = Field(
        default_factory=dict
    )
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
        self.nat_addresses = self._nat(name, settings.nat, network, region, physical_name, protect=protect_addresses)
        self._google_dns(name, network, physical_name)
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

    def _nat(
        self,
        name: str,
        settings: NatSettings,
        network: gcp.compute.Network,
        region: str,
        physical_name: str,
        *,
        protect: bool,
    ) -> pulumi.Output[list[str]]:
        child = pulumi.ResourceOptions(parent=self)
        addresses = [
            gcp.compute.Address(
                f"{name}-nat-{number}",
                name=f"{physical_name}-nat-{number}",
                region=region,
                # Partners have them on their allow-lists.
                opts=pulumi.ResourceOptions(parent=self, protect=protect),
            )
            for number in range(1, settings.static_addresses + 1)
        ]
        router = gcp.compute.Router(f"{name}-router", name=physical_name, network=network.id, region=region, opts=child)
        gcp.compute.RouterNat(
            f"{name}-nat",
            name=physical_name,
            router=router.name,
            region=region,
            nat_ip_allocate_option="MANUAL_ONLY" if addresses else "AUTO_ONLY",
            nat_ips=[address.self_link for address in addresses] or None,
            source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
            enable_dynamic_port_allocation=True,
            enable_endpoint_independent_mapping=False,
            min_ports_per_vm=settings.min_ports_per_vm,
            max_ports_per_vm=settings.max_ports_per_vm,
            log_config={"enable": True, "filter": "ERRORS_ONLY"},
            opts=child,
        )
        return pulumi.Output.all(*(address.address for address in addresses))

    def _google_dns(self, name: str, network: gcp.compute.Network, physical_name: str) -> None:
        child = pulumi.ResourceOptions(parent=self)
        for key, domain in PRIVATE_GOOGLE_ZONES.items():
            zone = gcp.dns.ManagedZone(
                f"{name}-zone-{key}",
                name=f"{physical_name}-{key}",
                dns_name=domain,
                description=f"{domain} by the private addresses of Google's services",
                visibility="private",
                private_visibility_config={"networks": [{"network_url": network.id}]},
                opts=child,
            )
            apex = "private.googleapis.com." if key == "googleapis" else domain
            gcp.dns.RecordSet(
                f"{name}-zone-{key}-a",
                managed_zone=zone.name,
                name=apex,
                type="A",
                ttl=300,
                rrdatas=list(PRIVATE_GOOGLE_ADDRESSES),
                opts=child,
            )
            gcp.dns.RecordSet(
                f"{name}-zone-{key}-any",
                managed_zone=zone.name,
                name=f"*.{domain}",
                type="CNAME",
                ttl=300,
                rrdatas=[apex],
                opts=child,
            )
