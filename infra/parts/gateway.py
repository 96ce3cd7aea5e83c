"""The way in: the Gateway of the environment, and the host of what delivers."""

from __future__ import annotations

import pulumi

from components.gateway.gateway import Gateway
from components.gateway.hosts import GatewayRefs, record
from components.gateway.iap_client import IapClientRefs
from components.gateway.previews import PreviewHosts
from infra.environment import Environment, through
from infra.parts.foundation import Foundation
from infra.parts.runtime import Runtime


def make(here: Environment, base: Foundation, runtime: Runtime) -> GatewayRefs | None:
    """The Gateway, where the stack file has one; the hosts of services are in infra/parts/tenants.py."""
    settings, jenkins = here.config.gateway, here.config.jenkins
    if settings is None:
        return None
    gateway = Gateway(
        "gateway",
        settings,
        project_id=base.project.id,
        region=here.config.region,
        network=base.network,
        protect=here.guarded,
        opts=through(base.google, runtime.cluster_provider),
    )
    refs = GatewayRefs(settings, gateway.address, gateway.zone)
    if jenkins is not None and jenkins.gateway is not None and jenkins.gateway.own:
        record("jenkins-host", jenkins.hostname, refs, pulumi.ResourceOptions(parent=gateway, provider=base.google))
    about: dict[str, pulumi.Input[str]] = {
        "domain": settings.domain,
        "address": gateway.address,
        "certificate": gateway.status,
    }
    if here.config.preview_domain is not None and gateway.certificates is not None:
        previews = PreviewHosts(
            "preview-hosts", gateway=refs, certificates=gateway.certificates, opts=through(base.google)
        )
        about |= {"preview_domain": here.config.preview_domain, "preview_certificate": previews.status}
    pulumi.export("gateway", about)
    return refs


def iap_client(
    here: Environment, project_number: pulumi.Input[str], workload_pool: pulumi.Input[str]
) -> IapClientRefs | None:
    """The OAuth client of the Identity-Aware Proxy; None where Google manages it."""
    client = here.config.iap_client
    return None if client is None else IapClientRefs(client, here.config.project.id, project_number, workload_pool)
