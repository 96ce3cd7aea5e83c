"""Admission policies of the sandbox that change objects: these stay as users deploy them, and kubelets report them.

https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atwork.sandbox.clusters.api import Api

_MANAGER = "sandbox"
_GROUP = "admissionregistration.k8s.io/v1"

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class MutatingPolicy:
    """A policy and its binding, with expressions in CEL."""

    name: str
    operation: str
    resource: str
    """In the core group, such as `pods` or `nodes/status`."""
    conditions: Mapping[str, str]
    """By name; the policy applies where all of them are true."""
    patches: Sequence[str] = ()
    """Items of a JSON patch."""
    merged: Sequence[str] = ()
    """Objects that are merged into the one that is changed."""
    parameter: str = ""
    """Name of a ConfigMap in the namespace of the object; the policy applies only where there is one."""

    def install(self, api: Api) -> None:
        """Create or change it in a cluster."""
        for suffix, spec in (("", self._policy()), ("Binding", self._binding())):
            kind = f"MutatingAdmissionPolicy{suffix}"
            body = {"apiVersion": _GROUP, "kind": kind, "metadata": {"name": self.name}, "spec": spec}
            api.apply(api.place(_GROUP, kind), body, manager=_MANAGER, force=True)

    def _policy(self) -> JsonObject:
        rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": [self.operation], "resources": [self.resource]}
        patch = {"patchType": "JSONPatch", "jsonPatch": {"expression": f"[{', '.join(self.patches)}]"}}
        merged = [
            {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": text}} for text in self.merged
        ]
        return {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            **({"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}} if self.parameter else {}),
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [{"name": name, "expression": text} for name, text in self.conditions.items()],
            "mutations": [patch, *merged],
        }

    def _binding(self) -> JsonObject:
        reference = {"name": self.parameter, "parameterNotFoundAction": "Allow"}
        return {"policyName": self.name, **({"paramRef": reference} if self.parameter else {})}
