"""An evaluator of NetworkPolicy: whether a connection may leave one end and enter the other.

https://kubernetes.io/docs/concepts/services-networking/network-policies
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from atwork.sandbox.selectors import selects
from atwork.sandbox.verify.environments import EnvironmentObjects, Object

Direction = Literal["Ingress", "Egress"]
AddressRange = ipaddress.IPv4Network


@dataclass(frozen=True)
class End:
    """An end of a connection: a pod by its labels, or addresses outside of the cluster."""

    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    addresses: AddressRange | None = None
    """All of them must be allowed."""
    ports: Mapping[str, int] = field(default_factory=dict[str, int])
    """Named ports of the pod."""

    @property
    def shown(self) -> str:
        """The end in messages."""
        return str(self.addresses) if self.addresses is not None else self.namespace


@dataclass(frozen=True)
class Connection:
    """A connection from an end to a port of the other."""

    source: End
    target: End
    port: int
    protocol: Literal["TCP", "UDP"] = "TCP"


def closed_by(connection: Connection, here: EnvironmentObjects) -> str:
    """The policies that block a connection, with the side; "" if it is allowed."""
    sides: tuple[tuple[Direction, End, End], ...] = (
        ("Egress", connection.source, connection.target),
        ("Ingress", connection.target, connection.source),
    )
    for direction, pod, peer in sides:
        if pod.addresses is not None:
            continue  # ends outside of the cluster have no policies
        selecting = list(_selecting(pod, direction, here))
        if selecting and not any(_allows(policy, direction, peer, connection, here) for policy in selecting):
            names = ", ".join(str(policy["metadata"]["name"]) for policy in selecting)
            return f"{direction.lower()} of {pod.namespace} is closed by {names}"
    return ""


def _selecting(pod: End, direction: Direction, here: EnvironmentObjects) -> Iterator[Object]:
    for policy in here.kind("NetworkPolicy", pod.namespace):
        spec = policy["spec"]
        types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
        if direction in types and selects(spec.get("podSelector") or {}, pod.labels):
            yield policy


def _allows(policy: Object, direction: Direction, peer: End, connection: Connection, here: EnvironmentObjects) -> bool:
    key, peers_key = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    for rule in policy["spec"].get(key) or ():
        peers = rule.get(peers_key) or []
        matches = not peers or any(_is_peer(item, peer, policy["metadata"]["namespace"], here) for item in peers)
        if matches and _port(rule.get("ports") or [], connection):
            return True
    return False


def _is_peer(rule: Mapping[str, Any], peer: End, namespace: str, here: EnvironmentObjects) -> bool:
    if peer.addresses is not None:
        return "ipBlock" in rule and _within(peer.addresses, rule["ipBlock"])
    if "ipBlock" in rule:
        return False  # Dataplane V2: blocks do not select pods
    if "namespaceSelector" in rule:
        labels = here.labels_of(peer.namespace)
        if labels is None or not selects(rule["namespaceSelector"] or {}, labels):
            return False
    elif peer.namespace != namespace:
        return False
    return selects(rule.get("podSelector") or {}, peer.labels)


def _within(addresses: AddressRange, block: Mapping[str, Any]) -> bool:
    inside = addresses.subnet_of(AddressRange(block["cidr"]))
    return inside and not any(addresses.overlaps(AddressRange(excluded)) for excluded in block.get("except") or ())


def _port(ports: Iterable[Mapping[str, Any]], connection: Connection) -> bool:
    listed = list(ports)
    return not listed or any(_is_port(item, connection) for item in listed)


def _is_port(rule: Mapping[str, Any], connection: Connection) -> bool:
    if rule.get("protocol", "TCP") != connection.protocol:
        return False
    port = rule.get("port")
    if port is None:
        return True
    if isinstance(port, str) and not port.isdigit():
        return connection.target.ports.get(port) == connection.port
    return int(port) <= connection.port <= int(rule.get("endPort") or port)
