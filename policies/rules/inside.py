"""Rules on what is inside a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    if one.type != _POLICY:
        return False
    opened = one.get("spec.ingress") or one.get("spec.egress")
    return (
        not opened
        and not one.get("spec.podSelector")
        and set(one.get("spec.policyTypes", ()))
        == {
            "Ingress",
            "Egress",
        }
    )


def _without(all_of_them: Sequence[Resource], kind: str, message: str) -> Iterator[tuple[Resource, str]]:
    places = {one.get("metadata.namespace") for one in all_of_them if one.type == kind}
    if UNKNOWN in places:
        return
    for one in all_of_them:
        name = one.get("metadata.name")
        if one.type == _NAMESPACE and name is not UNKNOWN and name not in places:
            yield one, f"namespace {name} {message}"
