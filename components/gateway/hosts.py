"""A host of a service: its record in DNS, the route to its Service, and GKE's policy for what is behind it.

The certificate of the environment's Gateway covers every host (components/gateway/certificate.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

from components.gateway import names, routes
from components.gateway.settings import GatewaySettings


@dataclass(frozen=True)
class GatewayRefs:
    """The Gateway of the environment as hosts need it."""

    settings: GatewaySettings
    address: pulumi.Input[str]
    zone: pulumi.Input[str]


def namespace_annotations(host: str, *backends: str) -> Mapping[str, str]:
    """Annotations of a namespace with a host."""
    return {names.HOSTS: host, names.BACKENDS: ",".join(backends)}


def preview_annotations(domain: str) -> Mapping[str, str]:
    """Annotations of a preview namespace whose hosts are below a domain."""
    return {names.PREVIEW_DOMAIN: domain}


NAMESPACE_LABELS: Mapping[str, str] = {names.EXPOSED: "true"}
"""Labels of a namespace with a host."""


def record(name: str, host: str, gateway: GatewayRefs, opts: pulumi.ResourceOptions) -> None:
    """Declare the record of a host; `opts` have the provider of Google Cloud."""
    gcp.dns.RecordSet(
        f"{name}-record",
        managed_zone=gateway.zone,
        name=names.fully_qualified(host),
        type="A",
        ttl=300,
        rrdatas=[gateway.address],
        opts=opts,
    )


def expose(
    name: str,
    host: str,
    gateway: GatewayRefs,
    *,
    service: str,
    namespace: pulumi.Input[str],
    public: bool,
    opts: pulumi.ResourceOptions,
) -> None:
    """Declare the route to a Service and the policy for it, in the cluster of the provider in `opts`."""
    kubernetes.apiextensions.CustomResource(
        f"{name}-route",
        api_version=routes.API,
        kind="HTTPRoute",
        metadata={"name": routes.name(service), "namespace": namespace},
        spec=routes.route(host, service, internal=gateway.settings.internal is not None),
        opts=opts,
    )
    kubernetes.apiextensions.CustomResource(
        f"{name}-backend",
        api_version=routes.GKE_API,
        kind="GCPBackendPolicy",
        metadata={"name": service, "namespace": namespace},
        spec=routes.backend(gateway.settings, service, public=public),
        opts=opts,
    )
