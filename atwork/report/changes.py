"""From the events of one resource to its change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from atwork.engine.urn import name_of, type_of
from atwork.report import tables
from atwork.report.alerts import alert_guards
from atwork.report.keeping import is_kept
from atwork.report.model import Change, ChangeKind, Guard, Property
from atwork.report.refusals import refusal
from atwork.report.retention import retention_guards
from atwork.report.values import differences

KINDS: dict[str, ChangeKind] = {
    "create": "create",
    "update": "update",
    "delete": "delete",
    "read": "read",
    "import": "import",
    "replace": "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "read-replacement": "replace",
    "import-replacement": "replace",
    "discard-replaced": "replace",
    "discard": "read",
}
ORDER = ("replace", "create", "update", "delete", "retain")
_WITHOUT_PROPERTIES = ("create", "delete", "retain")
"""Kinds that are shown without properties."""
NOT_SHOWN = "[not shown]"
_GUARDS = {
    "deletionProtection": {"true"},
    "deletionProtectionEnabled": {"true"},
    "enableDropProtection": {"true"},  # Spanner
    "deleteProtectionState": {"DELETE_PROTECTION_ENABLED"},  # Firestore
    "deletionPolicy": {"PREVENT", "ABANDON"},
    "forceDestroy": {"false"},  # buckets: whether their objects are deleted too
}
"""Inputs that protect a resource, and the values that do so."""
_UNSEEN = ("pulumi:pulumi:StackReference",)
_PART = re.compile(r"\[(\"?)[^\]]*\1\]")


@dataclass
class Seen:
    """The events of one resource: its steps, and its states before and after."""

    type: str = ""
    steps: list[str] = field(default_factory=list[str])
    old: dict[str, Any] = field(default_factory=dict[str, Any])
    new: dict[str, Any] = field(default_factory=dict[str, Any])
    keys: set[str] = field(default_factory=set[str])
    paths: dict[str, str] = field(default_factory=dict[str, str])
    """Paths that differ according to the provider, and how; without values."""

    def learn(self, urn: str, metadata: Mapping[str, Any]) -> None:
        """Add a step; raises TypeError or KeyError for malformed metadata."""
        self.type = type_of(urn) or str(metadata.get("type", ""))
        old, new = mapping(metadata.get("old")), mapping(metadata.get("new"))
        paths = {path: mapping(item) for path, item in mapping(metadata.get("detailedDiff")).items()}
        for state in (old, new):
            mapping(state.get("inputs"))
            mapping(state.get("outputs"))
        step = str(metadata["op"])
        if step not in self.steps:
            self.steps.append(step)
        self.old, self.new = old or self.old, new or self.new
        self.keys |= {str(key) for key in metadata.get("keys") or ()}
        self.paths |= {path: str(item.get("kind", "")) for path, item in paths.items()}

    @property
    def custom(self) -> bool:
        """Whether it is a custom resource, as the engine counts them."""
        return bool((self.new or self.old).get("custom")) and not self.type.startswith("pulumi:")

    @property
    def parent(self) -> str:
        """URN of the parent."""
        return str((self.new or self.old).get("parent", ""))


def mapping(value: Any) -> dict[str, Any]:
    """A mapping, empty for None; TypeError for anything else."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"a map was expected, not {type(value).__name__}")
    return {str(key): seen for key, seen in cast("Mapping[Any, Any]", value).items()}


def inputs(state: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a resource."""
    return state.get("inputs") or {}


def change_of(
    urn: str, seen: Seen, noise: Sequence[tables.Noise], hidden: list[str], *, maybe: bool = False
) -> Change | None:
    """The change, or None if nothing changes. Differences that are ignored as noise are added to `hidden`."""
    # With --refresh, every resource has a refresh step; the steps after it have the result.
    steps = [step for step in seen.steps if step not in ("same", "refresh")]
    if seen.type in _UNSEEN or (seen.type.startswith("pulumi:providers:") and not steps):
        return None
    kind = _kind(steps)
    if kind == "delete" and is_kept(seen.type, seen.old):
        kind = "retain"
    old, new = inputs(seen.old), inputs(seen.new)
    if kind == "read" and old == new and seen.old:
        return None
    differing = list(differences(old, new, seen.type)) if kind not in _WITHOUT_PROPERTIES else []
    properties = differing + _unseen_paths(seen, differing) if kind in ("update", "replace") else []
    guards = tuple(_guards(seen.old, seen.new, differing)) if kind not in _WITHOUT_PROPERTIES else ()
    guards += tuple(alert_guards(seen.type, old, {} if kind == "delete" else new))
    guards += tuple(retention_guards(seen.type, differing))
    guarded_paths = {guard.name for guard in guards}
    shown_properties = [
        item for item in properties if item.path not in guarded_paths and not _is_noise(urn, item.path, noise, hidden)
    ]
    old_urn = str(seen.old.get("urn", ""))
    old_urn = old_urn if seen.old and seen.new and old_urn not in ("", urn) else ""
    if kind is None:
        kind = "guard" if guards else "rename" if old_urn else None
    if kind is None or (kind == "update" and properties and not shown_properties and not guards and not old_urn):
        return None
    causes = seen.keys | {path for path, description in seen.paths.items() if "replace" in description.lower()}
    if kind == "replace":
        shown_properties = [
            item.model_copy(update={"replaces": _causes(causes, item.path)}) for item in shown_properties
        ]
    return Change(
        kind=kind,
        step=", ".join(steps) or "same",
        type=seen.type,
        name=name_of(urn),
        urn=urn,
        stateful=seen.type in tables.stateful(),
        protected=bool(seen.old.get("protect")),
        maybe=maybe,
        renamed_from=old_urn,
        properties=tuple(shown_properties),
        guards=guards,
        refused=refusal(kind, seen.type, steps, seen.old, seen.new),
        hidden_only=kind in ("update", "replace")
        and not guards
        and all(item.old == NOT_SHOWN for item in shown_properties),
    )


def _kind(steps: Sequence[str]) -> ChangeKind | None:
    kinds = {KINDS.get(step, "other") for step in steps}
    return next((kind_ for kind_ in (*ORDER, "import", "other", "read") if kind_ in kinds), None)


def _unseen_paths(seen: Seen, differing: Sequence[Property]) -> list[Property]:
    """Paths that differ only according to the provider: secrets, and values that only the cloud has."""
    if not seen.paths:
        return []
    roots = {_PART.sub("", kind_.path).partition(".")[0] for kind_ in differing}
    unseen = [path for path in seen.paths if _PART.sub("", path).partition(".")[0] not in roots]
    return [Property(path=path, old=NOT_SHOWN, new=NOT_SHOWN) for path in unseen]


def _is_noise(urn: str, path: str, noise: Sequence[tables.Noise], hidden: list[str]) -> bool:
    item = next((seen for seen in noise if seen.covers(urn, path)), None)
    if item is not None:
        hidden.append(f"{name_of(urn)}.{path}: {item.reason} (until {item.expires})")
    return item is not None


def _causes(causes: set[str], path: str) -> bool:
    return any(path == cause or path.startswith((f"{cause}.", f"{cause}[")) for cause in causes)


def _guards(old: Mapping[str, Any], new: Mapping[str, Any], differing: Sequence[Property]) -> Iterable[Guard]:
    """Protections that differ: options of the engine, and inputs at any depth."""
    if not old or not new:
        return
    for key in ("protect", "retainOnDelete"):
        before, after = bool(old.get(key)), bool(new.get(key))
        if before != after:
            yield Guard(name=key, old=str(before).lower(), new=str(after).lower(), removed=before)
    for item in differing:
        name = item.path.rpartition(".")[2]
        if name in _GUARDS:
            protecting_values = _GUARDS[name]
            removed = item.old in protecting_values or (item.old is None and item.new not in protecting_values)
            yield Guard(name=item.path, old=item.old or "none", new=item.new or "none", removed=removed)
