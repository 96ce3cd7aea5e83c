"""From what the events say of one resource to its change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from atwork.engine.urn import name_of, type_of
from atwork.report import tables
from atwork.report.keeping import is_kept
from atwork.report.model import Change, Guard, Kind, Property
from atwork.report.refusals import refusal
from atwork.report.values import differences

KINDS: dict[str, Kind] = {
    "create": "create", "update": "update", "delete": "delete", "read": "read", "import": "import",
    "replace": "replace", "create-replacement": "replace", "delete-replaced": "replace",
    "read-replacement": "replace", "import-replacement": "replace", "discard-replaced": "replace",
    "discard": "read",
}  # fmt: skip
ORDER = ("replace", "create", "update", "delete", "retain")
_WHOLE = ("create", "delete", "retain")
"""Kinds that concern the resource as a whole and not its properties."""
NOT_SHOWN = "[not shown]"
_GUARDS = {
    "deletionProtection": {"true"},
    "deletionProtectionEnabled": {"true"},
    "enableDropProtection": {"true"},  # Spanner
    "deleteProtectionState": {"DELETE_PROTECTION_ENABLED"},  # Firestore
    "deletionPolicy": {"PREVENT", "ABANDON"},
    "forceDestroy": {"false"},  # buckets: whether what is in them goes too
}
"""Inputs that guard, and the values with which they do."""
_UNSEEN = ("pulumi:pulumi:StackReference",)
_PART = re.compile(r"\[(\"?)[^\]]*\1\]")


@dataclass
class Seen:
    """What the events say of one resource: its steps, and the states before and after."""

    type: str = ""
    steps: list[str] = field(default_factory=list[str])
    old: dict[str, Any] = field(default_factory=dict[str, Any])
    new: dict[str, Any] = field(default_factory=dict[str, Any])
    keys: set[str] = field(default_factory=set[str])
    paths: dict[str, str] = field(default_factory=dict[str, str])
    """Paths that the provider says differ, and how; it never says values."""

    def learn(self, urn: str, metadata: Mapping[str, Any]) -> None:
        """Take one step; what has not the form of one raises TypeError or KeyError."""
        self.type = type_of(urn) or str(metadata.get("type", ""))
        old, new = mapping(metadata.get("old")), mapping(metadata.get("new"))
        paths = {path: mapping(found) for path, found in mapping(metadata.get("detailedDiff")).items()}
        for state in (old, new):
            mapping(state.get("inputs"))
            mapping(state.get("outputs"))
        step = str(metadata["op"])
        if step not in self.steps:
            self.steps.append(step)
        self.old, self.new = old or self.old, new or self.new
        self.keys |= {str(key) for key in metadata.get("keys") or ()}
        self.paths |= {path: str(found.get("kind", "")) for path, found in paths.items()}

    @property
    def custom(self) -> bool:
        """Whether it is something in a cloud, as the engine's own count of custom resources."""
        return bool((self.new or self.old).get("custom")) and not self.type.startswith("pulumi:")

    @property
    def parent(self) -> str:
        """URN of what it belongs to."""
        return str((self.new or self.old).get("parent", ""))


def mapping(value: Any) -> dict[str, Any]:
    """A map, empty for none; TypeError for anything else."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"a map was expected, not {type(value).__name__}")
    return {str(key): one for key, one in cast("Mapping[Any, Any]", value).items()}


def inputs(state: Mapping[str, Any]) -> dict[str, Any]:
    """What the program says of a resource."""
    return state.get("inputs") or {}


def change_of(
    urn: str, one: Seen, noise: Sequence[tables.Noise], hidden: list[str], *, maybe: bool = False
) -> Change | None:
    """The change; None where nothing changes. What is left out as noise is added to `hidden`."""
    # Every resource is read anew where that is asked for; what came of it are the steps after it.
    steps = [step for step in one.steps if step not in ("same", "refresh")]
    if one.type in _UNSEEN or (one.type.startswith("pulumi:providers:") and not steps):
        return None
    kind = _kind(steps)
    if kind == "delete" and is_kept(one.type, one.old):
        kind = "retain"
    old, new = inputs(one.old), inputs(one.new)
    if kind == "read" and old == new and one.old:
        return None
    differing = list(differences(old, new, one.type)) if kind not in _WHOLE else []
    properties = differing + _unseen_paths(one, differing) if kind in ("update", "replace") else []
    guards = tuple(_guards(one.old, one.new, differing)) if kind not in _WHOLE else ()
    said = {guard.name for guard in guards}
    kept = [found for found in properties if found.path not in said and not _is_noise(urn, found.path, noise, hidden)]
    renamed = str(one.old.get("urn", ""))
    renamed = renamed if one.old and one.new and renamed not in ("", urn) else ""
    if kind is None:
        kind = "guard" if guards else "rename" if renamed else None
    if kind is None or (kind == "update" and properties and not kept and not guards and not renamed):
        return None
    causes = one.keys | {path for path, how in one.paths.items() if "replace" in how.lower()}
    if kind == "replace":
        kept = [found.model_copy(update={"replaces": _causes(causes, found.path)}) for found in kept]
    return Change(
        kind=kind,
        step=", ".join(steps) or "same",
        type=one.type,
        name=name_of(urn),
        urn=urn,
        stateful=one.type in tables.stateful(),
        protected=bool(one.old.get("protect")),
        maybe=maybe,
        renamed_from=renamed,
        properties=tuple(kept),
        guards=guards,
        refused=refusal(kind, one.type, steps, one.old, one.new),
        hidden_only=kind in ("update", "replace") and not guards and all(found.old == NOT_SHOWN for found in kept),
    )


def _kind(steps: Sequence[str]) -> Kind | None:
    kinds = {KINDS.get(step, "other") for step in steps}
    return next((each for each in (*ORDER, "import", "other", "read") if each in kinds), None)


def _unseen_paths(one: Seen, differing: Sequence[Property]) -> list[Property]:
    """What only the provider sees beside the inputs that differ: secrets, and what the cloud keeps."""
    if not one.paths:
        return []
    roots = {_PART.sub("", each.path).partition(".")[0] for each in differing}
    unseen = [path for path in one.paths if _PART.sub("", path).partition(".")[0] not in roots]
    return [Property(path=path, old=NOT_SHOWN, new=NOT_SHOWN) for path in unseen]


def _is_noise(urn: str, path: str, noise: Sequence[tables.Noise], hidden: list[str]) -> bool:
    found = next((one for one in noise if one.covers(urn, path)), None)
    if found is not None:
        hidden.append(f"{name_of(urn)}.{path}: {found.reason} (until {found.expires})")
    return found is not None


def _causes(causes: set[str], path: str) -> bool:
    return any(path == cause or path.startswith((f"{cause}.", f"{cause}[")) for cause in causes)


def _guards(old: Mapping[str, Any], new: Mapping[str, Any], differing: Sequence[Property]) -> Iterable[Guard]:
    """Protections that differ: the engine's, and those among the inputs, wherever they are."""
    if not old or not new:
        return
    for key in ("protect", "retainOnDelete"):
        before, after = bool(old.get(key)), bool(new.get(key))
        if before != after:
            yield Guard(name=key, old=str(before).lower(), new=str(after).lower(), removed=before)
    for found in differing:
        name = found.path.rpartition(".")[2]
        if name in _GUARDS:
            guarding = _GUARDS[name]
            removed = found.old in guarding or (found.old is None and found.new not in guarding)
            yield Guard(name=found.path, old=found.old or "none", new=found.new or "none", removed=removed)
