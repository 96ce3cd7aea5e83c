"""The VPC of an environment: one subnet with room for nodes and pods, the way out, and the way to Google's services.

Owns: network, subnet, the proxy-only subnet of an internal Gateway, router and NAT, the deny-all firewall rule,
private DNS for Google's APIs, and the service connection policies through which Cloud SQL and Redis get their private
endpoints.
Does not own: the firewall rules that GKE makes for its own cluster, peering (environments do not talk), and networks of
others (existing_network.py).

Traps: flow logs are billed by volume, so each environment chooses its sampling. NAT is in nat.py, private DNS in
google_dns.py.
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from components import redis
from components.google_dns import private_google_dns
from components.nat import nat_gateway
from components.network_refs import NetworkRefs
from components.network_settings import PROXY_ONLY, NetworkSettings
from components.settings import Region


class Network(pulumi.ComponentResource):
    """A regional VPC with private Google access and no way in."""

    refs: NetworkRefs
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
        database_policy = gcp.networkconnectivity.ServiceConnectionPolicy(
            f"{name}-cloud-sql",
            name=f"{physical_name}-cloud-sql",
            location=region,
            service_class="google-cloud-sql",
            network=network.id,
            psc_config={"subnetworks": [subnetwork.id], "limit": str(settings.database_endpoints)},
            opts=child,
        )
        redis_policy = gcp.networkconnectivity.ServiceConnectionPolicy(
            f"{name}-redis",
            name=f"{physical_name}-redis",
            location=region,
            service_class=redis.SERVICE_CLASS,
            network=network.id,
            psc_config={"subnetworks": [subnetwork.id], "limit": str(settings.redis_endpoints)},
            opts=child,
        )
        self.refs = NetworkRefs(
            network.id,
            subnetwork.id,
            "pods",
            tuple(settings.extra_pods),
            self.nat_addresses,
            database_access=[database_policy],
            redis_access=[redis_policy],
            proxies=[] if settings.proxies is None else [_proxy_only(name, settings.proxies, network, region, child)],
        )
        self.network_id, self.subnetwork_id = network.id, subnetwork.id
        self.register_outputs(
            {
                "network_id": self.network_id,
                "subnetwork_id": self.subnetwork_id,
                "nat_addresses": self.nat_addresses,
            }
        )


def _proxy_only(
    name: str, block: str, network: gcp.compute.Network, region: Region, opts: pulumi.ResourceOptions
) -> gcp.compute.Subnetwork:
    """The addresses from which Google's proxies of the region send requests to pods.

    A region of a network has one that is active. It takes no machines, and has no flow logs.
    https://cloud.google.com/load-balancing/docs/proxy-only-subnets
    """
    return gcp.compute.Subnetwork(
        f"{name}-proxies",
        name=pulumi.Output.concat(network.name, "-proxies"),
        network=network.id,
        region=region,
        ip_cidr_range=block,
        purpose=PROXY_ONLY,
        role="ACTIVE",
        opts=opts,
    )
