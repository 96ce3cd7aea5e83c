"""Rules on what is inside a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from policies.rule import UNKNOWN, Environment, Resource, on, over_all

_NAMESPACE = "kubernetes:core/v1:Namespace"
_QUOTA = "kubernetes:core/v1:ResourceQuota"
_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
_BINDINGS = (
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
)
_ENFORCE = "pod-security.kubernetes.io/enforce"


@on("namespace-pod-security", _NAMESPACE, source="CIS GKE 4.2; Kubernetes Pod Security Standards")
def pod_security(one: Resource, _: Environment) -> Iterator[str]:
    """Every namespace enforces a Pod Security level, and not the one that allows everything."""
    labels = one.get("metadata.labels", {})
    if labels is not UNKNOWN and labels.get(_ENFORCE) not in ("restricted", "baseline", UNKNOWN):
        yield f"metadata.labels[{_ENFORCE}] must be restricted or baseline"


@over_all("namespace-quota", _NAMESPACE, _QUOTA, source="CIS GKE 4.6.1")
def quota(all_of_them: Sequence[Resource], _: Environment) -> Iterator[tuple[Resource, str]]:
    """Every namespace has a quota, so that no team takes the whole cluster."""
    yield from _without(all_of_them, _QUOTA, "has no ResourceQuota")


@over_all("namespace-default-deny", _NAMESPACE, _POLICY, source="CIS GKE 4.3.2")
def default_deny(all_of_them: Sequence[Resource], _: Environment) -> Iterator[tuple[Resource, str]]:
    """In every namespace all traffic is closed but what is opened by name."""
    closing = [one for one in all_of_them if one.type == _NAMESPACE or _closes(one)]
    yield from _without(closing, _POLICY, "has no NetworkPolicy that denies all traffic")


@on("rbac-no-cluster-admin", *_BINDINGS, source="CIS GKE 4.1.1")
def no_cluster_admin(one: Resource, _: Environment) -> Iterator[str]:
    """Nobody is bound to cluster-admin by the program."""
    if one.get("roleRef.name") == "cluster-admin":
        yield "roleRef.name is cluster-admin; bind a role that names what is needed"


def _closes(one: Resource) -> bool:
    """Whether a network policy may be one that denies all traffic of all pods: nothing known of it says otherwise."""
    if one.type != _POLICY:
        return False
    opens = any(one.get(path, []) not in ([], UNKNOWN) for path in ("spec.ingress", "spec.egress"))
    return not opens and _selects_all(one.get("spec.podSelector", {})) and _both_ways(one.get("spec.policyTypes", ()))


def _selects_all(selector: Any) -> bool:
    """Whether a label selector may select all pods."""
    return selector is UNKNOWN or all(part is UNKNOWN or not part for part in selector.values())


def _both_ways(types: Any) -> bool:
    """Whether policy types may be both of them."""
    both = {"Ingress", "Egress"}
    return types is UNKNOWN or set(types) == both or (UNKNOWN in types and both >= set(types) - {UNKNOWN})


def _without(all_of_them: Sequence[Resource], kind: str, message: str) -> Iterator[tuple[Resource, str]]:
    """Namespaces for which nothing of a kind can be there, whatever is not known yet turns out to be."""
    inside = [one for one in all_of_them if one.type == kind]
    namespaces = [one for one in all_of_them if one.type == _NAMESPACE]
    urns = frozenset(one.urn for one in namespaces)
    for namespace in namespaces:
        if not any(_may_be_in(one, namespace, urns) for one in inside):
            name = namespace.get("metadata.name", UNKNOWN)
            yield namespace, f"namespace {namespace.name if name is UNKNOWN else name} {message}"


def _may_be_in(one: Resource, namespace: Resource, namespaces: frozenset[str]) -> bool:
    """Whether an object may be in a namespace; `namespaces` are the URNs of all.

    What gives no name or namespace gets one from the provider. A namespace whose name is not known yet is recognized
    by the resource that the name comes from.
    """
    place, name = one.get("metadata.namespace", UNKNOWN), namespace.get("metadata.name", UNKNOWN)
    if place is not UNKNOWN:
        return name in (place, UNKNOWN)
    sources = one.sources.get("metadata", frozenset[str]()) & namespaces
    return not sources or namespace.urn in sources
