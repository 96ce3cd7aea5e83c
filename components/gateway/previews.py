"""Hosts of preview namespaces: a certificate of their own below the domain of the Gateway, and one record for all.

Owns: certificate, authorization, entry in the map of the Gateway, and the record of every name below the domain.
Does not own: the route of a build (delivery/vars/previews.groovy), who may write it (components/preview_namespaces.py)
and which host it may have (components/gateway/admission.py).

Traps: a wildcard covers one label, so that the certificate of the Gateway's domain does not cover these names.
"""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_gcp as gcp

from components.gateway import names, routes
from components.gateway.certificate import certificate, status
from components.gateway.hosts import GatewayRefs, record
from components.gateway.settings import GatewaySettings


class PreviewHosts(pulumi.ComponentResource):
    """Hosts below one domain, for builds that are not known yet."""

    status: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        gateway: GatewayRefs,
        certificates: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:previews:PreviewHosts", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        domain = names.preview_domain(gateway.settings.domain)
        issued = certificate(name, domain, gateway.zone, child)
        gcp.certificatemanager.CertificateMapEntry(
            f"{name}-certificates-entry",
            map=certificates,
            certificates=[issued.id],
            hostname=f"*.{domain}",
            opts=child,
        )
        record(name, f"*.{domain}", gateway, child)
        self.status = issued.managed.apply(lambda managed: status(domain, managed, None))
        self.register_outputs({"status": self.status})


def backend(settings: GatewaySettings, service: str) -> dict[str, Any]:
    """GKE's policy for the build of a pull request, which is never public."""
    return {
        "apiVersion": routes.GKE_API,
        "kind": "GCPBackendPolicy",
        "metadata": {"name": service},
        "spec": routes.backend(settings, service, public=False),
    }


def route(settings: GatewaySettings, service: str, pull: str) -> dict[str, Any]:
    """The route from the host of a build to its Service."""
    host = names.preview_host(service, pull, settings.domain)
    return {
        "apiVersion": routes.API,
        "kind": "HTTPRoute",
        "metadata": {"name": routes.name(service)},
        "spec": routes.route(host, service),
    }
