"""Kubernetes RBAC inside a cluster, from the objects of the program.

The built-in roles `view` and `edit` contain the resources that services use, and the rules that labels aggregate to
them; `edit` includes `view`. https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

GROUP = "rbac.authorization.k8s.io"
_AGGREGATE = f"{GROUP}/aggregate-to-"
_READ = ("get", "list", "watch")
_WRITE = ("create", "delete", "deletecollection", "patch", "update")
_BUILT_IN: Mapping[str, tuple[str, ...]] = {
    "": (
        "configmaps",
        "endpoints",
        "persistentvolumeclaims",
        "pods",
        "pods/attach",
        "pods/exec",
        "pods/portforward",
        "serviceaccounts",
        "services",
        "events",
        "secrets",
    ),
    "apps": ("daemonsets", "deployments", "deployments/rollback", "deployments/scale", "replicasets", "statefulsets"),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("cronjobs", "jobs"),
    "networking.k8s.io": ("ingresses", "networkpolicies"),
    "policy": ("poddisruptionbudgets",),
}
"""Kubernetes, plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go: editRules and viewRules."""
_NOT_VIEWED = ("secrets", "pods/attach", "pods/exec", "pods/portforward")


@dataclass(frozen=True)
class RbacRule:
    """Verbs on resources of API groups, some by name."""

    groups: frozenset[str]
    resources: frozenset[str]
    verbs: frozenset[str]
    names: frozenset[str] = frozenset()

    def allows(self, request: ApiRequest) -> bool:
        """Whether it covers a request; a request without a name is for all objects of a resource."""
        named = not self.names or request.name in self.names
        return named and all(
            requested in allowed or "*" in allowed
            for requested, allowed in (
                (request.verb, self.verbs),
                (request.group, self.groups),
                (request.resource, self.resources),
            )
        )


@dataclass(frozen=True)
class ApiRequest:
    """One call to the API server."""

    verb: str
    resource: str
    namespace: str
    group: str = ""
    name: str = ""


class Rbac:
    """The roles and bindings of one cluster, from `(kind, manifest)` with the property names of Kubernetes."""

    def __init__(self, objects: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        items = list(objects)
        self.bindings = [manifest for kind, manifest in items if kind in ("RoleBinding", "ClusterRoleBinding")]
        self.roles: dict[tuple[str, str], list[RbacRule]] = {
            ("", name): list(_built_in(name)) for name in ("view", "edit")
        }
        for kind, manifest in items:
            if kind not in ("Role", "ClusterRole"):
                continue
            metadata, rules = manifest["metadata"], [_rule(rule) for rule in manifest.get("rules") or ()]
            namespace = metadata.get("namespace", "") if kind == "Role" else ""
            self.roles.setdefault((namespace, metadata["name"]), []).extend(rules)
            for label, value in (metadata.get("labels") or {}).items():
                if label.startswith(_AGGREGATE) and value == "true":
                    self.roles.setdefault(("", label.removeprefix(_AGGREGATE)), []).extend(rules)
        self.roles["", "edit"] += self.roles["", "view"]

    def may(self, subject: str, request: ApiRequest) -> bool:
        """Whether `User:NAME`, `Group:NAME` or `ServiceAccount:NAMESPACE/NAME` may make a request."""
        return any(rule.allows(request) for rule in self._rules(subject, request.namespace))

    def _rules(self, subject: str, namespace: str) -> Iterator[RbacRule]:
        for binding in self.bindings:
            scope = binding["metadata"].get("namespace", "")
            if scope not in ("", namespace) or subject not in {_subject(item) for item in binding["subjects"]}:
                continue
            role = binding["roleRef"]
            yield from self.roles.get((scope if role["kind"] == "Role" else "", role["name"]), ())


def _rule(rule: Mapping[str, Any]) -> RbacRule:
    return RbacRule(
        frozenset(rule.get("apiGroups") or ("",)),
        frozenset(rule.get("resources") or ()),
        frozenset(rule["verbs"]),
        frozenset(rule.get("resourceNames") or ()),
    )


def _subject(subject: Mapping[str, Any]) -> str:
    namespace = f"{subject['namespace']}/" if subject["kind"] == "ServiceAccount" else ""
    return f"{subject['kind']}:{namespace}{subject['name']}"


def _built_in(name: str) -> Iterator[RbacRule]:
    for group, resources in _BUILT_IN.items():
        readable = [item for item in resources if name == "edit" or item not in _NOT_VIEWED]
        yield RbacRule(frozenset({group}), frozenset(readable), frozenset(_READ))
        if name == "edit":
            yield RbacRule(frozenset({group}), frozenset(resources) - {"events"}, frozenset(_WRITE))
    yield RbacRule(frozenset({""}), frozenset({"pods/log", "pods/status"}), frozenset(_READ))
