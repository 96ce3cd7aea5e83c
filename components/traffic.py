"""Addresses and rules that network policies share: Google's front ends, metrics, the metadata server, the internet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgsDict as Rule
    from pulumi_kubernetes.networking.v1 import NetworkPolicyPeerArgsDict as Peer
    from pulumi_kubernetes.networking.v1 import NetworkPolicyPortArgsDict as Port

LOAD_BALANCERS = ("35.191.0.0/16", "130.211.0.0/22")
"""Google's front ends and health checks. https://cloud.google.com/load-balancing/docs/firewall-rules"""

COLLECTOR_NAMESPACES = ("gke-gmp-system", "gmp-system")
"""Where the collectors of Google Cloud Managed Service for Prometheus run."""

NOT_THE_INTERNET = (
    "10.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "240.0.0.0/4",
)
"""Nodes, pods, databases, control planes and link-local addresses: no business of who wants the internet."""

GOOGLE_APIS = "199.36.153.8/30"
"""private.googleapis.com, which the network's private zones answer with.
https://cloud.google.com/vpc/docs/configure-private-google-access"""


def namespaces(names: Iterable[str]) -> Peer:
    """All pods of the named namespaces."""
    return {
        "namespace_selector": {
            "match_expressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": sorted(names)}]
        }
    }


def addresses(*blocks: str) -> list[Peer]:
    """Whoever has an address in one of the blocks."""
    return [{"ip_block": {"cidr": block}} for block in blocks]


def load_balancers(proxies: str | None) -> list[Peer]:
    """Load balancers and their health checks; requests through an internal one come from its proxy-only subnet."""
    return addresses(*LOAD_BALANCERS, *([] if proxies is None else [proxies]))


def tcp(*ports: int) -> list[Port]:
    """TCP ports."""
    return [{"protocol": "TCP", "port": port} for port in ports]


def internet(ports: Iterable[int]) -> Rule:
    """Any public address, by the given TCP ports."""
    return {
        "to": [{"ip_block": {"cidr": "0.0.0.0/0", "except_": list(NOT_THE_INTERNET)}}],
        "ports": tcp(*ports),
    }


def metadata_server() -> list[Rule]:
    """Where pods get their identity, with Dataplane V2 and without it.

    https://cloud.google.com/kubernetes-engine/docs/how-to/network-policy#network-policy-and-workload-identity
    """
    return [
        {"to": addresses("169.254.169.254/32"), "ports": tcp(80)},
        {"to": addresses("169.254.169.252/32"), "ports": tcp(988)},
    ]
