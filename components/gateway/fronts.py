"""What the load balancer of a Gateway stands on, by its class: address, certificate, TLS policy and firewall.

Owns: these resources, all of the scope of the class: global, or the region. Parts of the other scope are refused.
Does not own: the Gateway (components/gateway/gateway.py), the proxy-only subnet (components/network.py).

Traps: the two listeners of an internal Gateway are two forwarding rules, which share an address only if its purpose
says so. GKE makes the firewall rule from the proxy-only subnet to pods, in a network of the environment's project.
https://cloud.google.com/kubernetes-engine/docs/how-to/deploying-gateways
https://github.com/kubernetes/ingress-gce/pull/2735 (the 409 of an address without the purpose)
https://cloud.google.com/kubernetes-engine/docs/concepts/firewall-rules
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_gcp as gcp

from components.gateway import names, routes
from components.gateway.armor import rules
from components.gateway.certificate import certificate, certificate_map
from components.gateway.settings import GatewaySettings
from components.network_refs import NetworkRefs
from components.settings import Region

_ADDRESS = "All hosts of the environment"
_PROFILE, _OLDEST = "MODERN", "TLS_1_2"


@dataclass(frozen=True)
class Front:
    """What the Gateway refers to, and what must outlive it."""

    address: pulumi.Output[str]
    certificate: gcp.certificatemanager.Certificate
    spec: dict[str, Any]
    used: Sequence[pulumi.Resource]
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])
    certificates: pulumi.Output[str] | None = None
    """Name of the certificate map; None for an internal Gateway, which has no map."""


@dataclass(frozen=True)
class FrontOptions:
    """Options of the resources; whoever points a name at the address does it by hand, so that it is kept."""

    child: pulumi.ResourceOptions
    kept: pulumi.ResourceOptions


def external(name: str, settings: GatewaySettings, zone: pulumi.Input[str], opts: FrontOptions) -> Front:
    """Declare the front of a global external load balancer."""
    address = gcp.compute.GlobalAddress(f"{name}-address", name=names.SHARED, description=_ADDRESS, opts=opts.kept)
    issued = certificate(name, settings.domain, zone, opts.child)
    certificates = certificate_map(name, issued, opts.child)
    tls = gcp.compute.SSLPolicy(
        f"{name}-tls", name=names.SHARED, profile=_PROFILE, min_tls_version=_OLDEST, opts=opts.child
    )
    used: list[pulumi.Resource] = [address, issued, certificates, tls]
    if settings.firewall is not None:
        used.append(
            gcp.compute.SecurityPolicy(
                f"{name}-armor",
                name=names.SHARED,
                description="In front of every host",
                rules=rules(settings.firewall),
                opts=opts.child,
            )
        )
    annotations = {routes.CERTIFICATE_MAP: names.SHARED}
    return Front(address.address, issued, routes.gateway(), used, annotations, certificates.name)


def internal(
    name: str,
    settings: GatewaySettings,
    zone: pulumi.Input[str],
    opts: FrontOptions,
    *,
    region: Region,
    network: NetworkRefs,
) -> Front:
    """Declare the front of a regional internal load balancer, with an address of the nodes' subnet."""
    address = gcp.compute.Address(
        f"{name}-address",
        name=names.SHARED,
        description=_ADDRESS,
        region=region,
        address_type="INTERNAL",
        purpose="SHARED_LOADBALANCER_VIP",
        subnetwork=network.subnetwork_id,
        opts=opts.kept,
    )
    issued = certificate(name, settings.domain, zone, opts.child, location=region)
    tls = gcp.compute.RegionSslPolicy(
        f"{name}-tls", name=names.SHARED, region=region, profile=_PROFILE, min_tls_version=_OLDEST, opts=opts.child
    )
    used: list[pulumi.Resource] = [address, issued, tls, *network.proxies]
    return Front(address.address, issued, routes.gateway(issued.name), used)
