"""Which deletions and replacements can only fail, and what to do instead.

The engine's preview knows `protect` alone. The providers' own guards are met in the middle of an update, when other
resources are changed or deleted already; so the report looks for them in the state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

CLUSTER = "gcp:container/cluster:Cluster"
_CLUSTER_STAYS = (
    "a cluster cannot be replaced in one update, for its objects need the cluster that goes; destroy what is inside "
    "it, then the cluster, then update (docs/runbooks/cluster-replaced.md)"
)
_NAME_TAKEN = (
    "its replacement is created first and meets its name (error 409); destroy it in a step of its own once what it "
    "holds is copied, or give the new one another name"
)
_IDENTITY = (
    "name", "repositoryId", "secretId", "accountId", "roleId", "projectId", "project", "location", "region", "zone",
    "keyRing", "instance", "cluster", "managedZone", "type", "namespace",
)  # fmt: skip
"""Inputs that can tell two resources of a type apart."""


def refusal(kind: str, token: str, steps: Sequence[str], old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Why the update would be refused; "" where it may go through.

    `old` and `new` are the resource's states in the engine's events; `steps` are the engine's, in their order.
    """
    if kind not in ("delete", "replace") or not old or old.get("external"):
        return ""
    guards = [] if old.get("retainOnDelete") else guards_of(old)
    if guards:
        return f"{' and '.join(guards)}, so the provider refuses; lift that in an update of its own first"
    if kind == "replace" and token == CLUSTER:
        return _CLUSTER_STAYS
    if kind == "replace" and _first(steps) == "create-replacement" and _same(old, new):
        return _NAME_TAKEN
    return ""


def guards_of(state: Mapping[str, Any]) -> list[str]:
    """The provider's own guards that are on in a state: the provider reads them there, not in the program."""
    inputs, outputs = _map(state.get("inputs")), _map(state.get("outputs"))
    found: list[str] = []
    if inputs.get("deletionPolicy", outputs.get("deletionPolicy")) == "PREVENT":
        found.append("deletionPolicy is PREVENT")
    if inputs.get("deletionProtection", outputs.get("deletionProtection")) is True:
        found.append("deletionProtection is true")
    if _map(inputs.get("settings")).get("deletionProtectionEnabled") is True:
        found.append("settings.deletionProtectionEnabled is true")
    return found


def _first(steps: Sequence[str]) -> str:
    return next((step for step in steps if step in ("create-replacement", "delete-replaced")), "")


def _same(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether the replacement is to have the very identity of what it replaces."""
    if old.get("provider") != new.get("provider"):
        return False  # such as objects of another cluster
    before, after = _identity(old), _identity(new)
    return bool(before) and before == after  # a name that the provider chose is another one


def _identity(state: Mapping[str, Any]) -> dict[str, Any]:
    inputs = _map(state.get("inputs"))
    found = {key: inputs[key] for key in _IDENTITY if key in inputs}
    metadata = _map(inputs.get("metadata"))
    return found | {f"metadata.{key}": metadata[key] for key in ("name", "namespace") if key in metadata}


def _map(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
