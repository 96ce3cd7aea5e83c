"""Who in and around Jenkins may talk to whom, beyond the name resolution that every namespace has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from components.jenkins import names

if TYPE_CHECKING:
    from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgsDict as Rule
    from pulumi_kubernetes.networking.v1 import NetworkPolicyPeerArgsDict as Peer
    from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgsDict as Policy

HTTP = 8080

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
"""Nodes, pods, databases, control planes and link-local addresses: none of a build's business."""

CONTROLLER_LABELS = {"app.kubernetes.io/component": "jenkins-controller", "app.kubernetes.io/instance": "jenkins"}


def controller(agent_namespaces: Iterable[str], *, gateway: bool) -> Policy:
    """In: agents, metrics and, behind a gateway, load balancers. Out: HTTPS to all, for the API server is private."""
    callers = [*sorted(agent_namespaces), *COLLECTOR_NAMESPACES]
    inside: list[Peer] = [
        {
            "namespace_selector": {
                "match_expressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": callers}]
            }
        }
    ]
    outside: list[Peer] = [{"ip_block": {"cidr": block}} for block in LOAD_BALANCERS]
    return {
        "pod_selector": {"match_labels": CONTROLLER_LABELS},
        "policy_types": ["Ingress", "Egress"],
        "ingress": [{"from_": [*inside, *(outside if gateway else [])], "ports": [{"protocol": "TCP", "port": HTTP}]}],
        "egress": [{"to": [{"ip_block": {"cidr": "0.0.0.0/0"}}], "ports": [{"protocol": "TCP", "port": 443}]}],
    }


def agents(*, ports: Iterable[int], identity: bool) -> Policy:
    """Out: the controller, the internet and, for pods with an identity, the metadata server. In: nobody."""
    to_controller: Rule = {
        "to": [
            {
                "namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": names.CONTROLLER_NAMESPACE}},
                "pod_selector": {"match_labels": CONTROLLER_LABELS},
            }
        ],
        "ports": [{"protocol": "TCP", "port": HTTP}],
    }
    internet: Rule = {
        "to": [{"ip_block": {"cidr": "0.0.0.0/0", "except_": list(NOT_THE_INTERNET)}}],
        "ports": [{"protocol": "TCP", "port": port} for port in ports],
    }
    # Where GKE's metadata server answers with Dataplane V2, and without it.
    # https://cloud.google.com/kubernetes-engine/docs/how-to/network-policy#network-policy-and-workload-identity
    metadata_server: list[Rule] = [
        {
            "to": [{"ip_block": {"cidr": "169.254.169.254/32"}}],
            "ports": [{"protocol": "TCP", "port": 80}],
        },
        {
            "to": [{"ip_block": {"cidr": "169.254.169.252/32"}}],
            "ports": [{"protocol": "TCP", "port": 988}],
        },
    ]
    return {
        "pod_selector": {},
        "policy_types": ["Egress"],
        "egress": [to_controller, internet, *(metadata_server if identity else [])],
    }
