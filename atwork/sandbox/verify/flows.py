"""The table of network flows: which other ends each kind of pod needs, and why. docs/network.md shows this table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal

from atwork.sandbox.verify.environments import EnvironmentObjects
from atwork.sandbox.verify.model import Pod, PodFinding, Role
from atwork.sandbox.verify.network_policies import Connection, End, closed_by
from components import traffic
from components.jenkins.stores import STORES
from components.jenkins.traffic import HTTP
from components.network_settings import PROXY_ONLY
from components.redis import PORT
from components.tenant import CONNECTOR_PORT
from components.type_tokens import SUBNETWORK

OtherEnd = Literal[
    "name resolution",
    "metadata server",
    "Google APIs",
    "internet",
    "Kubernetes API",
    "Jenkins controller",
    "Cloud SQL",
    "Redis",
    "own namespace",
    "store",
    "load balancers",
    "metrics collectors",
]


@dataclass(frozen=True)
class Flow:
    """A row of the table."""

    roles: tuple[Role, ...]
    other: OtherEnd
    port: int
    why: str
    when: str = ""
    """The row holds only for pods with this trait."""
    inward: bool = False
    """Whether the other end opens the connection."""
    protocol: Literal["TCP", "UDP"] = "TCP"


_AGENTS: tuple[Role, ...] = ("build", "test", "deploy", "platform")
_CALLERS: tuple[Role, ...] = ("controller", *_AGENTS, "service", "smoke-test", "rights")
_WITH_IDENTITY: tuple[Role, ...] = ("build", "deploy", "platform", "service", "rights")

FLOWS = (
    Flow(_CALLERS, "name resolution", 53, "every name", protocol="UDP"),
    Flow(_CALLERS, "name resolution", 53, "answers too long for UDP"),
    Flow(_WITH_IDENTITY, "metadata server", 80, "tokens of the pod's identity"),
    Flow(_WITH_IDENTITY, "Google APIs", 443, "registry, Secret Manager, GKE, Cloud SQL: all at private.googleapis.com"),
    Flow(("controller",), "Kubernetes API", 443, "starts and watches the pods of builds"),
    Flow(("controller",), "internet", 443, "GitHub, Slack, the login provider"),
    Flow(("build", "test"), "internet", 443, "GitHub, packages of the languages"),
    Flow(("deploy", "platform"), "internet", 443, "GitHub, packages"),
    Flow(_AGENTS, "Jenkins controller", HTTP, "the agent's WebSocket"),
    Flow(("controller",), "metrics collectors", HTTP, "metrics of Jenkins", inward=True),
    Flow(("controller",), "load balancers", HTTP, "people and GitHub's calls", when="gateway", inward=True),
    Flow(("service",), "load balancers", 8080, "callers from outside", when="gateway", inward=True),
    Flow(("service",), "Cloud SQL", CONNECTOR_PORT, "the connector's TLS", when="database"),
    Flow(("rights",), "Cloud SQL", CONNECTOR_PORT, "the TLS of Cloud SQL's proxy"),
    Flow(("service",), "Redis", PORT, "TLS to Memorystore for Valkey", when="redis"),
    Flow(("service",), "internet", 443, "APIs of others", when="internet-443"),
    Flow(("smoke-test",), "own namespace", 8080, "asks the service whether it is well"),
    *(
        Flow(("service",), "store", store.port, f"{name} of a preview namespace", when=f"store-{name}")
        for name, store in STORES.items()
    ),
)


def check(pod: Pod, all_pods: Sequence[Pod], here: EnvironmentObjects) -> Iterator[PodFinding]:
    """A finding for each row of the table that a network policy blocks or whose other end is missing."""
    own = _end(pod)
    for flow in [*FLOWS, *_declared(pod)]:
        if pod.role not in flow.roles or (flow.when and flow.when not in pod.traits):
            continue
        others = _outside(flow.other, here) or _pods(flow, pod, all_pods)
        if not others:
            yield _finding(pod, flow, "there is none", "bring it up, or correct its labels")
        for other in others:
            ends = (other, own) if flow.inward else (own, other)
            closed = closed_by(Connection(*ends, flow.port, flow.protocol), here)
            if closed:
                what = f"{other.shown} at {flow.protocol} {flow.port}: {closed}"
                yield _finding(pod, flow, what, "open it in the network policies of the namespace")


def _declared(pod: Pod) -> Iterator[Flow]:
    """Ports of the internet in the file of a service, without 443, which is in the table."""
    for trait in sorted(pod.traits):
        kind, _, port = trait.partition("-")
        if kind == "internet" and port != "443":
            yield Flow((pod.role,), "internet", int(port), "APIs of others", when=trait)


def _finding(pod: Pod, flow: Flow, what: str, fix: str) -> PodFinding:
    direction = "is not reached by" if flow.inward else "does not reach"
    why = f"{flow.why}: the connection times out"
    return pod.finding("network", f"{direction} {flow.other} ({what})", why, fix, "Unhealthy")


def _end(pod: Pod) -> End:
    ports = {
        str(port["name"]): int(port["containerPort"])
        for container in pod.containers()
        for port in container.get("ports") or ()
        if "name" in port
    }
    return End(pod.namespace, pod.labels, ports=ports)


def _outside(other: OtherEnd, here: EnvironmentObjects) -> list[End]:
    """The other end if it is not a pod of the platform."""
    match other:
        case "name resolution":
            return list(_resolvers(here))
        case "metadata server":
            return [_addresses("169.254.169.254/32")]
        case "Google APIs":
            return [_addresses(traffic.GOOGLE_APIS)]
        case "internet":
            return [_addresses("140.82.112.0/20")]  # of GitHub, as an example
        case "Kubernetes API" | "Cloud SQL" | "Redis":
            # All answer on an address of the nodes' range.
            return list(_subnets(here, proxies=False))
        case "load balancers":
            # An internal one checks the health of pods from the same addresses, and sends requests from its proxies.
            return [*map(_addresses, traffic.LOAD_BALANCERS), *_subnets(here, proxies=True)]
        case "metrics collectors":
            return [End(traffic.COLLECTOR_NAMESPACES[0])]
        case _:
            return []


def _pods(flow: Flow, pod: Pod, all_pods: Sequence[Pod]) -> list[End]:
    """The other ends that are pods."""
    neighbors = [other for other in all_pods if (other.namespace, other.turn) == (pod.namespace, pod.turn)]
    match flow.other:
        case "Jenkins controller":
            others = [other for other in all_pods if other.role == "controller"]
        case "own namespace":
            others = [other for other in neighbors if other.role == "service"]
        case _:
            others = [other for other in neighbors if other.role == "store" and f"store-{other.name}" == flow.when]
    return list(map(_end, others))


def _resolvers(here: EnvironmentObjects) -> Iterator[End]:
    """https://cloud.google.com/kubernetes-engine/docs/how-to/nodelocal-dns-cache"""
    if (here.cluster.get("dnsConfig") or {}).get("clusterDns") == "CLOUD_DNS":
        yield _addresses("169.254.169.254/32")
    else:
        yield End("kube-system", {"k8s-app": "kube-dns"})
    if ((here.cluster.get("addonsConfig") or {}).get("dnsCacheConfig") or {}).get("enabled"):
        yield _addresses("169.254.20.10/32")


def _subnets(here: EnvironmentObjects, *, proxies: bool) -> Iterator[End]:
    """Ranges of the subnets of nodes, or of the proxy-only subnets of internal load balancers."""
    for subnetwork in here.all(SUBNETWORK):
        if (subnetwork.get("purpose") == PROXY_ONLY) is proxies:
            yield _addresses(str(subnetwork["ipCidrRange"]))


def _addresses(block: str) -> End:
    return End(addresses=IPv4Network(block))


def table() -> str:
    """The table as Markdown."""
    lines = ["| pods | direction | other end | port | why | only with |", "| --- | --- | --- | --- | --- | --- |"]
    for flow in FLOWS:
        direction, port = "in" if flow.inward else "out", f"{flow.protocol} {flow.port}"
        cells = (", ".join(flow.roles), direction, flow.other, port, flow.why, flow.when or "·")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
