"""What the official provider decides in code when it compares a program with a resource, and no schema tells.

Sources, in hashicorp/terraform-provider-google-beta 7.45, which version 10.2 of the SDK bridges:
- an optional property that is computed too keeps its value when the program leaves it out (`kept` in rules.json);
- `CustomizeDiff` of google_compute_subnetwork, google_container_cluster and google_sql_database_instance;
- `SetLabelsDiff` in tpgresource/labels.go: default labels of the provider are part of every labelled resource;
and `nameRequiresDeleteBeforeReplace` in pulumi-terraform-bridge, pkg/tfbridge/schema.go.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from atwork.sandbox.provider.diff import Change, Path, rule_of
from atwork.sandbox.provider.values import UNKNOWN, Json, has_unknown, is_unknown, reveal

SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
CLUSTER = "gcp:container/cluster:Cluster"
INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
AUTOMATIC_NAMES = {
    "gcp:organizations/iAMCustomRole:IAMCustomRole": "roleId",
    "gcp:organizations/project:Project": "projectId",
    "gcp:projects/iAMCustomRole:IAMCustomRole": "roleId",
    "gcp:serviceaccount/account:Account": "accountId",
}
"""Types whose automatic name is not in `name` (pulumi-gcp, provider/resources.go)."""
DELETED_FIRST = {"gcp:projects/iAMMember:IAMMember", "gcp:projects/iAMPolicy:IAMPolicy"}
"""Types that are always deleted before they are replaced (pulumi-gcp, provider/resources.go)."""
_ATTRIBUTION = {"goog-pulumi-provisioned": "true"}
_DISK_SIZE: Path = ("settings", "diskSize")


def at(value: Json, path: Path) -> Json:
    """The value at a path; None where there is none."""
    for part in path:
        if isinstance(value, Mapping):
            value = value.get(str(part))
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def _not_within(old: Json, new: Json) -> bool:
    """Whether a range does not contain the one before: a subnet can only be expanded in place."""
    return not ipaddress.IPv4Network(old).subnet_of(ipaddress.IPv4Network(new))


def _taken_away(old: Json, new: Json) -> bool:
    """Whether a switch is off now, or a value is gone."""
    return bool(old) and not new


def _smaller(old: Json, new: Json) -> bool:
    return new is not None and int(new) < int(old)


FORCES: Mapping[tuple[str, Path], Callable[[Json, Json], bool]] = {
    (SUBNETWORK, ("ipCidrRange",)): _not_within,
    (CLUSTER, ("enableFqdnNetworkPolicy",)): _taken_away,
    (CLUSTER, ("enableL4IlbSubsetting",)): _taken_away,
    (INSTANCE, ("settings", "ipConfiguration", "privateNetwork")): _taken_away,
    (INSTANCE, _DISK_SIZE): _smaller,
}
"""Properties that replace for some changes only: whether this one does, from the values before and after."""


def forces(token: str, path: Path, old: Json, new: Json) -> bool:
    """Whether the provider's code makes a change at a path a replacement."""
    test = FORCES.get((token, path))
    before, after = reveal(at(old, path)), reveal(at(new, path))
    return test is not None and before is not None and not is_unknown(after) and test(before, after)


def settled(
    token: str, change: Change, new: Json, state: Json, rules: Mapping[str, Any], objects: Mapping[str, Any]
) -> bool:
    """Whether the plan drops a difference between the program before and now, because the cloud has that value."""
    around = rule_of(change.path[:-1], rules, objects)
    whole = not around or "object" in around  # and not one entry of a map or a list
    rule = rule_of(change.path, rules, objects) if whole else {}
    if change.kind == "delete" and rule.get("kept"):
        return True
    if change.kind == "add" and rule.get("kept") and state:
        return bool(reveal(at(state, change.path)) == reveal(at(new, change.path)))
    return (token, change.path) == (INSTANCE, _DISK_SIZE) and _grown(change, new, state)


def _grown(change: Change, new: Json, state: Json) -> bool:
    """Whether a disk that grows by itself is larger than the program says."""
    now, wanted = reveal(at(state, change.path)), reveal(at(new, change.path))
    grows = at(reveal(new), ("settings", "diskAutoresize"))
    return grows is not False and isinstance(now, int) and isinstance(wanted, int) and wanted <= now


def filled(
    token: str, inputs: dict[str, Json], state: Mapping[str, Json], rules: Mapping[str, Any], objects: Mapping[str, Any]
) -> dict[str, Json]:
    """The inputs with what the cloud keeps of the state where the program says nothing."""
    made = _filled(inputs, state, rules, objects)
    change = Change(_DISK_SIZE, "update")
    if token == INSTANCE and _grown(change, inputs, state):
        made["settings"] = {**reveal(made["settings"]), "diskSize": at(reveal(state), _DISK_SIZE)}
    return made


def _filled(
    inputs: Mapping[str, Json], state: Mapping[str, Json], rules: Mapping[str, Any], objects: Mapping[str, Any]
) -> dict[str, Json]:
    made = dict(inputs)
    for key, rule in rules.items():
        given, known = inputs.get(key), state.get(key)
        if given is None and rule.get("kept") and known is not None:
            made[key] = known
        elif isinstance(given, dict) and isinstance(known, dict) and rule.get("object") in objects:
            made[key] = _filled(given, known, objects[rule["object"]], objects)
    return made


def labels(inputs: Mapping[str, Json], config: Mapping[str, Json], known: Mapping[str, Any]) -> dict[str, Json]:
    """`pulumiLabels` and `effectiveLabels` of a type whose outputs are `known`; nothing for one without labels."""
    if "effectiveLabels" not in known:
        return {}
    own = reveal(inputs.get("labels" if "labels" in known else "resourceLabels")) or {}
    if has_unknown(own):
        return {"pulumiLabels": UNKNOWN, "effectiveLabels": UNKNOWN}
    ours = {**(reveal(config.get("defaultLabels")) or {}), **own}
    return {"pulumiLabels": ours, "effectiveLabels": {**_ATTRIBUTION, **ours}}


def relabeled(now: Mapping[str, Json], state: Mapping[str, Json]) -> Iterator[Change]:
    """The labels that differ from those of the state."""
    for key, value in now.items():
        if state and reveal(state.get(key)) != value:
            yield Change((key,), "update")


def delete_first(token: str, inputs: Mapping[str, Json], automatic: str) -> bool:
    """Whether a replacement deletes first: a type that is named automatically, with a name that the program chose."""
    if token in DELETED_FIRST:
        return True
    return bool(automatic) and not inputs.get("__autonamed") and inputs.get(automatic) is not None
