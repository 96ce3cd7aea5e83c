"""Rules for Kubernetes objects: namespaces and RBAC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from components.database_administrator import NAMESPACE
from components.type_tokens import KUBERNETES_NAMESPACE
from policies.rule import UNKNOWN, CheckedResource, StackContext, resource_rule, stack_rule

_QUOTA = "kubernetes:core/v1:ResourceQuota"
_NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
_ROLE_BINDINGS = (
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
)
_ENFORCE = "pod-security.kubernetes.io/enforce"


@resource_rule("namespace-pod-security", KUBERNETES_NAMESPACE, source="CIS GKE 4.2; Kubernetes Pod Security Standards")
def pod_security(namespace: CheckedResource, _: StackContext) -> Iterator[str]:
    """Every namespace enforces the Pod Security level restricted or baseline."""
    labels = namespace.get("metadata.labels", {})
    if labels is not UNKNOWN and labels.get(_ENFORCE) not in ("restricted", "baseline", UNKNOWN):
        yield f"metadata.labels[{_ENFORCE}] must be restricted or baseline"


@stack_rule("namespace-quota", KUBERNETES_NAMESPACE, _QUOTA, source="CIS GKE 4.6.1")
def quota(resources: Sequence[CheckedResource], _: StackContext) -> Iterator[tuple[CheckedResource, str]]:
    """Every namespace has a quota, so that no team uses up the cluster."""
    yield from _namespaces_without(resources, _QUOTA, "ResourceQuota")


@stack_rule("namespace-default-deny", KUBERNETES_NAMESPACE, _NETWORK_POLICY, source="CIS GKE 4.3.2")
def default_deny(resources: Sequence[CheckedResource], _: StackContext) -> Iterator[tuple[CheckedResource, str]]:
    """Every namespace denies all traffic that no other network policy allows."""
    relevant = [resource for resource in resources if resource.type == KUBERNETES_NAMESPACE or _denies_all(resource)]
    yield from _namespaces_without(relevant, _NETWORK_POLICY, "NetworkPolicy that denies all traffic")


@resource_rule("rbac-no-cluster-admin", *_ROLE_BINDINGS, source="CIS GKE 4.1.1")
def no_cluster_admin(binding: CheckedResource, _: StackContext) -> Iterator[str]:
    """The program binds nobody to cluster-admin."""
    if binding.get("roleRef.name") == "cluster-admin":
        yield "roleRef.name is cluster-admin; bind a role with only the rights that are needed"


@resource_rule("rbac-database-rights", *_ROLE_BINDINGS, source="docs/adr/0031-database-rights.md")
def closed_to_people(binding: CheckedResource, _: StackContext) -> Iterator[str]:
    """Nobody has a role in the namespace whose pods administer the databases."""
    if binding.get("metadata.namespace", "") == NAMESPACE:
        yield f"metadata.namespace is {NAMESPACE}, whose pods read and change every database; remove the binding"


def _denies_all(resource: CheckedResource) -> bool:
    """Whether a resource may be a network policy that denies all traffic of all pods, as far as it is known."""
    if resource.type != _NETWORK_POLICY:
        return False
    allows = any(resource.get(path, []) not in ([], UNKNOWN) for path in ("spec.ingress", "spec.egress"))
    selector, types = resource.get("spec.podSelector", {}), resource.get("spec.policyTypes", ())
    return not allows and _selects_all(selector) and _has_both_types(types)


def _selects_all(selector: Any) -> bool:
    """Whether a label selector may select all pods."""
    return selector is UNKNOWN or all(part is UNKNOWN or not part for part in selector.values())


def _has_both_types(types: Any) -> bool:
    """Whether policy types may be Ingress and Egress."""
    both = {"Ingress", "Egress"}
    return types is UNKNOWN or set(types) == both or (UNKNOWN in types and both >= set(types) - {UNKNOWN})


def _namespaces_without(
    resources: Sequence[CheckedResource], token: str, kind: str
) -> Iterator[tuple[CheckedResource, str]]:
    """Namespaces that have no object of a type, whatever the unknown values turn out to be."""
    objects = [resource for resource in resources if resource.type == token]
    namespaces = [resource for resource in resources if resource.type == KUBERNETES_NAMESPACE]
    urns = frozenset(namespace.urn for namespace in namespaces)
    for namespace in namespaces:
        if not any(_may_be_in(item, namespace, urns) for item in objects):
            name = namespace.get("metadata.name", UNKNOWN)
            yield namespace, f"namespace {namespace.name if name is UNKNOWN else name} has no {kind}; add one"


def _may_be_in(item: CheckedResource, namespace: CheckedResource, namespaces: frozenset[str]) -> bool:
    """Whether an object may be in a namespace; `namespaces` are the URNs of all.

    The provider sets a name or namespace that the program leaves out. A namespace whose name is not known yet is
    recognized by the resource that the name comes from.
    """
    target, name = item.get("metadata.namespace", UNKNOWN), namespace.get("metadata.name", UNKNOWN)
    if target is not UNKNOWN:
        return name in (target, UNKNOWN)
    sources = item.sources.get("metadata", frozenset[str]()) & namespaces
    return not sources or namespace.urn in sources
