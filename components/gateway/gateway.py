"""The way into an environment: one load balancer for all hosts, with TLS.

An external one has a firewall and the Identity-Aware Proxy; an internal one is reached from your networks alone.

Owns: the domain's zone, what the load balancer stands on (components/gateway/fronts.py), the namespace `gateway` with
the Gateway and the redirect to HTTPS, who passes the Identity-Aware Proxy, and which hosts a namespace may have.
Does not own: the record, the route and the backend policy of a host (components/gateway/hosts.py).

Traps:
- GKE's controller creates the load balancer from the Gateway and removes it when the Gateway is deleted; without its
  cluster, forwarding rules and endpoint groups stay. Hence the Gateway depends on all that its load balancer uses, and
  goes before it and before the cluster.
- Nothing waits for the certificate: the output `gateway` says what is missing.
- The Identity-Aware Proxy with Google's own client admits people of the organization alone.
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

from components.gateway import admission, fronts, names, routes
from components.gateway.certificate import status
from components.gateway.settings import GatewaySettings
from components.namespace import Namespace, NamespaceSettings, QuotaSettings
from components.network_refs import NetworkRefs
from components.settings import Region

SERVICES = ("certificatemanager.googleapis.com",)
IAP_SERVICE = "iap.googleapis.com"

_NOTHING_RUNS_HERE = NamespaceSettings(quota=QuotaSettings(cpu="1", memory="1Gi", scratch="1Gi", pods=1))


def services(settings: GatewaySettings) -> set[str]:
    """APIs of Google that the settings need."""
    return {*SERVICES, *([IAP_SERVICE] if settings.iap is not None else [])}


class Gateway(pulumi.ComponentResource):
    """The Gateway of an environment."""

    address: pulumi.Output[str]
    certificates: pulumi.Output[str] | None
    """Name of the certificate map; None for an internal Gateway."""
    zone: pulumi.Output[str]
    status: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: GatewaySettings,
        *,
        project_id: pulumi.Input[str],
        region: Region,
        network: NetworkRefs,
        protect: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:gateway:Gateway", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        # Whoever points or delegates a name here does it by hand: a new address or zone needs that again.
        kept = pulumi.ResourceOptions(parent=self, protect=protect)
        zone = _zone(name, settings, kept) if settings.dns.zone is None else None
        self.zone = pulumi.Output.from_input(settings.dns.zone or "") if zone is None else zone.name
        options = fronts.FrontOptions(child, kept)
        front = (
            fronts.external(name, settings, self.zone, options)
            if settings.internal is None
            else fronts.internal(name, settings, self.zone, options, region=region, network=network)
        )
        for group in settings.iap.groups if settings.iap is not None else ():
            gcp.projects.IAMMember(
                f"{name}-iap-{group.partition('@')[0]}",
                project=project_id,
                role=names.IAP_ROLE,
                member=f"group:{group}",
                opts=child,
            )
        namespace = Namespace(name, _NOTHING_RUNS_HERE, physical_name=names.NAMESPACE, opts=child)
        inside = pulumi.ResourceOptions(parent=self, depends_on=front.used)
        _objects(name, settings, front, namespace.namespace_name, inside)
        admission.make(name, child)
        servers = pulumi.Output.from_input(None) if zone is None else zone.name_servers
        self.address = front.address
        self.certificates = front.certificates
        managed = front.certificate.managed
        self.status = pulumi.Output.all(managed, servers).apply(lambda about: status(settings.domain, *about))
        self.register_outputs(
            {
                "address": self.address,
                "certificates": self.certificates,
                "zone": self.zone,
                "status": self.status,
            }
        )


def _zone(name: str, settings: GatewaySettings, opts: pulumi.ResourceOptions) -> gcp.dns.ManagedZone:
    return gcp.dns.ManagedZone(
        f"{name}-zone",
        name=names.SHARED,
        dns_name=names.fully_qualified(settings.domain),
        description="Hosts of the environment",
        visibility="public",
        dnssec_config={"state": "on"},
        cloud_logging_config={"enable_logging": True},
        opts=opts,
    )


def _objects(
    name: str,
    settings: GatewaySettings,
    front: fronts.Front,
    namespace: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """The Gateway, its TLS policy and the redirect."""
    metadata = {"name": routes.gateway_name(settings), "namespace": namespace}
    annotated = {"annotations": dict(front.annotations)} if front.annotations else {}
    kubernetes.apiextensions.CustomResource(
        f"{name}-gateway",
        api_version=routes.API,
        kind="Gateway",
        metadata={**metadata, **annotated},
        spec=front.spec,
        opts=opts,
    )
    kubernetes.apiextensions.CustomResource(
        f"{name}-tls-policy",
        api_version=routes.GKE_API,
        kind="GCPGatewayPolicy",
        metadata=metadata,
        spec=routes.tls_policy(settings),
        opts=opts,
    )
    kubernetes.apiextensions.CustomResource(
        f"{name}-redirect",
        api_version=routes.API,
        kind="HTTPRoute",
        metadata={"name": "redirect-to-https", "namespace": namespace},
        spec=routes.redirect(settings),
        opts=opts,
    )
