"""The way out to the internet for nodes and pods: a router with Cloud NAT, and its addresses.

Traps: NAT cannot hand out ports dynamically while endpoint-independent mapping is on, and the two port limits
must be powers of two.
"""

from __future__ import annotations

from typing import Annotated, Self

import pulumi
import pulumi_gcp as gcp
from pydantic import AfterValidator, Field, model_validator

from components.settings import Settings


def _power_of_two(ports: int) -> int:
    if ports & (ports - 1):
        raise ValueError(f"{ports} is not a power of two; Cloud NAT takes 64, 128, 256 and so on")
    return ports


Ports = Annotated[int, Field(ge=32, le=65536), AfterValidator(_power_of_two)]


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
                f"min_ports_per_vm {self.min_ports_per_vm} must be below max_ports_per_vm "
                f"{self.max_ports_per_vm}; lower it"
            )
        return self


def nat_gateway(
    name: str,
    settings: NatSettings,
    *,
    network: gcp.compute.Network,
    region: str,
    physical_name: str,
    protect_addresses: bool,
    parent: pulumi.Resource,
) -> pulumi.Output[list[str]]:
    """Create router, NAT and reserved addresses; returns the addresses, an empty list where Google chooses them."""
    child = pulumi.ResourceOptions(parent=parent)
    addresses = [
        gcp.compute.Address(
            f"{name}-nat-{number}",
            name=f"{physical_name}-nat-{number}",
            region=region,
            # Partners have them on their allow-lists.
            opts=pulumi.ResourceOptions(parent=parent, protect=protect_addresses),
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
