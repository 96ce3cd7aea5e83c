"""The endpoints of a control plane: DNS, guarded by IAM, and IP, which is closed except in an emergency."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from components.settings import Settings

if TYPE_CHECKING:
    import pulumi_gcp as gcp


def _address_range(text: str) -> str:
    try:
        ipaddress.IPv4Network(text)
    except ValueError as error:
        raise ValueError(f"{error}; write a range of IPv4 addresses, such as 203.0.113.0/24") from None
    return text


AddressRange = Annotated[str, AfterValidator(_address_range), Field(examples=["203.0.113.0/24"])]
"""A range of IPv4 addresses in CIDR notation without host bits, private or public."""


class BreakGlassSettings(Settings):
    """The control plane's IP endpoint, for the day the DNS endpoint cannot be used. Remove it afterwards."""

    cidrs: dict[str, AddressRange] = Field(min_length=1)
    """Who may reach it: address ranges by a name that says whose they are."""


def authorized_networks(
    settings: BreakGlassSettings | None,
) -> gcp.container.ClusterMasterAuthorizedNetworksConfigArgsDict | None:
    """Who may reach the IP endpoint; nothing where it is closed."""
    if settings is None:
        return None
    return {
        "gcp_public_cidrs_access_enabled": False,
        "cidr_blocks": [{"display_name": name, "cidr_block": block} for name, block in settings.cidrs.items()],
    }


def private_nodes(settings: BreakGlassSettings | None) -> gcp.container.ClusterPrivateClusterConfigArgsDict:
    """The cluster's `private_cluster_config`: no node has a public address."""
    return {"enable_private_nodes": True, "enable_private_endpoint": settings is None}


def endpoints(settings: BreakGlassSettings | None) -> gcp.container.ClusterControlPlaneEndpointsConfigArgsDict:
    """The cluster's `control_plane_endpoints_config`."""
    return {
        "dns_endpoint_config": {
            "allow_external_traffic": True,
            "enable_k8s_tokens_via_dns": False,
            "enable_k8s_certs_via_dns": False,
        },
        "ip_endpoints_config": {"enabled": settings is not None},
    }


def dns_endpoint(config: gcp.container.outputs.ClusterControlPlaneEndpointsConfig) -> str:
    """The host name of the DNS endpoint; empty while GKE has not assigned it."""
    endpoint = config.dns_endpoint_config.endpoint if config.dns_endpoint_config else None
    return endpoint or ""
