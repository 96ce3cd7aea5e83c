"""Network policies of Jenkins and its pods, in addition to name resolution, which every namespace has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from components import traffic
from components.jenkins import names

if TYPE_CHECKING:
    from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgsDict as Rule
    from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgsDict as Policy

HTTP = 8080

CONTROLLER_LABELS = {"app.kubernetes.io/component": "jenkins-controller", "app.kubernetes.io/instance": "jenkins"}


def controller(agent_namespaces: Iterable[str], *, gateway: bool, proxies: str | None = None) -> Policy:
    """Ingress: agents, metrics and, with a gateway, load balancers. Egress: HTTPS to all; the API server is private."""
    namespaces = [traffic.namespaces([*agent_namespaces, *traffic.COLLECTOR_NAMESPACES])]
    load_balancers = traffic.load_balancers(proxies)
    return {
        "pod_selector": {"match_labels": CONTROLLER_LABELS},
        "policy_types": ["Ingress", "Egress"],
        "ingress": [{"from_": [*namespaces, *(load_balancers if gateway else [])], "ports": traffic.tcp(HTTP)}],
        "egress": [{"to": traffic.addresses("0.0.0.0/0"), "ports": traffic.tcp(443)}],
    }


def agents(*, ports: Iterable[int], identity: bool) -> Policy:
    """Egress: the controller, the internet and, for pods with an identity, the metadata server. No ingress."""
    to_controller: Rule = {
        "to": [
            {
                "namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": names.CONTROLLER_NAMESPACE}},
                "pod_selector": {"match_labels": CONTROLLER_LABELS},
            }
        ],
        "ports": traffic.tcp(HTTP),
    }
    return {
        "pod_selector": {},
        "policy_types": ["Egress"],
        "egress": [to_controller, traffic.internet(ports), *(traffic.metadata_server() if identity else [])],
    }
