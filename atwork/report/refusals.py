"""Deletions and replacements that would fail, and what to do instead.

The engine's preview only checks `protect`. Guards of the providers fail in the middle of an update, after other
resources have changed; therefore the report looks for them in the state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from components.type_tokens import CLUSTER

_CLUSTER_STAYS = (
    "a cluster cannot be replaced in one update, because its objects need the old cluster; destroy its objects, "
    "then the cluster, then update (docs/runbooks/cluster-replaced.md)"
)
_NAME_TAKEN = (
    "its replacement is created first and has the same name (error 409); copy its data and destroy it in a separate "
    "step, or give the new resource another name"
)
_IDENTITY = (
    "name",
    "repositoryId",
    "secretId",
    "accountId",
    "roleId",
    "projectId",
    "project",
    "location",
    "region",
    "zone",
    "keyRing",
    "instance",
    "cluster",
    "managedZone",
    "type",
    "namespace",
)
"""Inputs that identify a resource of a type."""


def refusal(kind: str, token: str, steps: Sequence[str], old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Why the update would be refused; "" if it may succeed.

    `old` and `new` are the resource's states in the engine's events; `steps` are the engine's, in their order.
    """
    if kind not in ("delete", "replace") or not old or old.get("external"):
        return ""
    guards = [] if old.get("retainOnDelete") else guards_of(old)
    if guards:
        return f"{' and '.join(guards)}, so the provider refuses; remove it in a separate update first"
    if kind == "replace" and token == CLUSTER:
        return _CLUSTER_STAYS
    if kind == "replace" and _first(steps) == "create-replacement" and _same(old, new):
        return _NAME_TAKEN
    return ""


def guards_of(state: Mapping[str, Any]) -> list[str]:
    """The guards of the provider in a state, where the provider reads them."""
    inputs, outputs = _mapping(state.get("inputs")), _mapping(state.get("outputs"))
    guards: list[str] = []
    if inputs.get("deletionPolicy", outputs.get("deletionPolicy")) == "PREVENT":
        guards.append("deletionPolicy is PREVENT")
    if inputs.get("deletionProtection", outputs.get("deletionProtection")) is True:
        guards.append("deletionProtection is true")
    if _mapping(inputs.get("settings")).get("deletionProtectionEnabled") is True:
        guards.append("settings.deletionProtectionEnabled is true")
    return guards


def _first(steps: Sequence[str]) -> str:
    return next((step for step in steps if step in ("create-replacement", "delete-replaced")), "")


def _same(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether the replacement would have the same identity as the resource it replaces."""
    if old.get("provider") != new.get("provider"):
        return False  # such as objects of another cluster
    before, after = _identity(old), _identity(new)
    return bool(before) and before == after  # a name that the provider chooses differs


def _identity(state: Mapping[str, Any]) -> dict[str, Any]:
    inputs = _mapping(state.get("inputs"))
    guards = {key: inputs[key] for key in _IDENTITY if key in inputs}
    metadata = _mapping(inputs.get("metadata"))
    return guards | {f"metadata.{key}": metadata[key] for key in ("name", "namespace") if key in metadata}


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
