"""Decisions of the official provider's code in a plan, which no schema states.

Sources, in hashicorp/terraform-provider-google-beta 7.45, which version 10.2 of the SDK bridges:
- an optional and computed property keeps its value when the program omits it (`kept` in rules.json);
- `CustomizeDiff` of google_compute_subnetwork, google_container_cluster and google_sql_database_instance;
- `SetLabelsDiff` in tpgresource/labels.go: default labels of the provider are part of every labeled resource;
and `nameRequiresDeleteBeforeReplace` in pulumi-terraform-bridge, pkg/tfbridge/schema.go.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from atwork.sandbox.provider.diff import Path, PropertyChange, rule_of
from atwork.sandbox.provider.gcp.rules import automatic_name_property, rules_of
from atwork.sandbox.provider.package import ResourceRequest
from atwork.sandbox.provider.values import UNKNOWN, Json, has_unknown, is_unknown, reveal
from components.type_tokens import CLUSTER, DATABASE_INSTANCE, PROJECT_MEMBER, PROJECT_POLICY, SUBNETWORK

_DELETED_FIRST = {PROJECT_MEMBER, PROJECT_POLICY}
"""Types that are always deleted before they are replaced (pulumi-gcp, provider/resources.go)."""
_ATTRIBUTION = {"goog-pulumi-provisioned": "true"}
_DISK_SIZE: Path = ("settings", "diskSize")


def value_at(value: Json, path: Path) -> Json:
    """The value at a path; None if there is none."""
    for part in path:
        if isinstance(value, Mapping):
            value = value.get(str(part))
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def _is_not_contained(old: Json, new: Json) -> bool:
    """Whether a new range does not contain the old one: a subnet can only be expanded in place."""
    return not ipaddress.IPv4Network(old).subnet_of(ipaddress.IPv4Network(new))


def _is_removed(old: Json, new: Json) -> bool:
    """Whether an option is turned off or a value is removed."""
    return bool(old) and not new


def _is_another(old: Json, new: Json) -> bool:
    """Whether a replica gets another primary; a switchover, which the program never makes, would not replace it."""
    return new is not None and new != old


def _is_smaller(old: Json, new: Json) -> bool:
    return new is not None and int(new) < int(old)


CONDITIONAL_REPLACEMENTS: Mapping[tuple[str, Path], Callable[[Json, Json], bool]] = {
    (SUBNETWORK, ("ipCidrRange",)): _is_not_contained,
    (CLUSTER, ("enableFqdnNetworkPolicy",)): _is_removed,
    (CLUSTER, ("enableL4IlbSubsetting",)): _is_removed,
    (DATABASE_INSTANCE, ("settings", "ipConfiguration", "privateNetwork")): _is_removed,
    (DATABASE_INSTANCE, _DISK_SIZE): _is_smaller,
    (DATABASE_INSTANCE, ("masterInstanceName",)): _is_another,
}
"""Properties of which some changes replace: a test of the values before and after."""


def forces_replacement(token: str, path: Path, old: Json, new: Json) -> bool:
    """Whether the provider's code makes a change at a path a replacement."""
    replaces = CONDITIONAL_REPLACEMENTS.get((token, path))
    before, after = reveal(value_at(old, path)), reveal(value_at(new, path))
    return replaces is not None and before is not None and not is_unknown(after) and replaces(before, after)


def is_no_difference(token: str, change: PropertyChange, new: Json, state: Json) -> bool:
    """Whether the plan drops a change of the program because the cloud has or keeps that value."""
    rules, objects = rules_of(token)
    parent = rule_of(change.path[:-1], rules, objects)
    is_property = not parent or "object" in parent  # and not an entry of a map or a list
    rule = rule_of(change.path, rules, objects) if is_property else {}
    if change.kind == "delete" and rule.get("kept"):
        return True
    if change.kind == "add" and rule.get("kept") and state:
        return bool(reveal(value_at(state, change.path)) == reveal(value_at(new, change.path)))
    return (token, change.path) == (DATABASE_INSTANCE, _DISK_SIZE) and _has_grown(new, state)


def _has_grown(new: Json, state: Json) -> bool:
    """Whether a disk with automatic growth is as large as the program says or larger."""
    size, stated = reveal(value_at(state, _DISK_SIZE)), reveal(value_at(new, _DISK_SIZE))
    grows = value_at(reveal(new), ("settings", "diskAutoresize"))
    return grows is not False and isinstance(size, int) and isinstance(stated, int) and stated <= size


def with_kept_values(token: str, inputs: dict[str, Json], state: Mapping[str, Json]) -> dict[str, Json]:
    """The inputs with the values of the state that the cloud keeps when the program omits them."""
    complete = _with_kept_values(inputs, state, *rules_of(token))
    if token == DATABASE_INSTANCE and _has_grown(inputs, state):
        complete["settings"] = {**reveal(complete["settings"]), "diskSize": value_at(reveal(state), _DISK_SIZE)}
    return complete


def _with_kept_values(
    inputs: Mapping[str, Json], state: Mapping[str, Json], rules: Mapping[str, Any], objects: Mapping[str, Any]
) -> dict[str, Json]:
    complete = dict(inputs)
    for key, rule in rules.items():
        given, known = inputs.get(key), state.get(key)
        if given is None and rule.get("kept") and known is not None:
            complete[key] = known
        elif isinstance(given, dict) and isinstance(known, dict) and rule.get("object") in objects:
            complete[key] = _with_kept_values(given, known, objects[rule["object"]], objects)
    return complete


def labels(inputs: Mapping[str, Json], config: Mapping[str, Json], properties: Mapping[str, Any]) -> dict[str, Json]:
    """`pulumiLabels` and `effectiveLabels`; empty if the outputs of the type, `properties`, have no labels."""
    if "effectiveLabels" not in properties:
        return {}
    own = reveal(inputs.get("labels" if "labels" in properties else "resourceLabels")) or {}
    if has_unknown(own):
        return {"pulumiLabels": UNKNOWN, "effectiveLabels": UNKNOWN}
    merged = {**(reveal(config.get("defaultLabels")) or {}), **own}
    return {"pulumiLabels": merged, "effectiveLabels": {**_ATTRIBUTION, **merged}}


def label_changes(now: Mapping[str, Json], state: Mapping[str, Json]) -> Iterator[PropertyChange]:
    """The labels that differ from those in the state."""
    for key, value in now.items():
        if state and reveal(state.get(key)) != value:
            yield PropertyChange((key,), "update")


def deletes_before_replace(resource: ResourceRequest) -> bool:
    """Whether a replacement deletes first: a type with automatic names that has a name from the program."""
    if resource.token in _DELETED_FIRST:
        return True
    inputs, automatic = resource.inputs, automatic_name_property(resource.token)
    return bool(automatic) and not inputs.get("__autonamed") and inputs.get(automatic) is not None
