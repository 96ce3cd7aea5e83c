"""From the engine's events to a report. Nothing is dropped: a step that is not known here is a change."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from atwork.engine.wire import plain
from atwork.preview import fingerprint, tables
from atwork.preview.model import Change, Guard, Kind, Output, Policy, Property, Result, StackReport
from atwork.preview.values import differences, has_unknown, redacted, shown

_KINDS: dict[str, Kind] = {
    "create": "create", "update": "update", "delete": "delete", "read": "read", "import": "import",
    "replace": "replace", "create-replacement": "replace", "delete-replaced": "replace",
    "read-replacement": "replace", "import-replacement": "replace", "discard-replaced": "replace",
    "discard": "read",
}  # fmt: skip
_ORDER = ("replace", "create", "update", "delete")
_ANY_SECRET_TEXT = re.compile(r"(?i)((?:password|token|secret)\s*[=:]\s*)\S+")
_PROTECTION = re.compile(
    r"marked for protection|is protected|cannot be deleted|PREVENT|deletion_protection", re.IGNORECASE
)
_GUARDS = ("deletionProtection", "deletionProtectionEnabled", "deletionPolicy")
_STACK = "pulumi:pulumi:Stack"
_UNSEEN = ("pulumi:pulumi:StackReference",)


@dataclass
class _Seen:
    """What the events say of one resource: its steps, and the states before and after."""

    steps: list[str] = field(default_factory=list[str])
    old: dict[str, Any] = field(default_factory=dict[str, Any])
    new: dict[str, Any] = field(default_factory=dict[str, Any])
    keys: set[str] = field(default_factory=set[str])
    paths: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])


@dataclass
class Reading:
    """Events of one preview, taken one after the other."""

    stack: str
    seen: dict[str, _Seen] = field(default_factory=dict[str, _Seen])
    outputs: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})
    errors: list[str] = field(default_factory=list[str])
    policies: list[Policy] = field(default_factory=list[Policy])
    ends: set[str] = field(default_factory=set[str])
    known_noise: tuple[tables.Noise, ...] = field(default_factory=lambda: tables.noise(datetime.now(UTC).date()))

    def take(self, event: Mapping[str, Any]) -> None:
        """Learn from one event."""
        for key in ("summaryEvent", "cancelEvent"):
            if key in event:
                self.ends.add(key)
        if "resourcePreEvent" in event:
            self._step(event["resourcePreEvent"]["metadata"])
        elif "resOutputsEvent" in event:
            metadata = event["resOutputsEvent"]["metadata"]
            if metadata["type"] == _STACK:
                old, new = metadata.get("old") or {}, metadata.get("new") or {}
                self.outputs = (old.get("outputs") or {}, new.get("outputs") or {})
            self._step(metadata)
        elif "resOpFailedEvent" in event:
            self._step(event["resOpFailedEvent"]["metadata"])
        elif "diagnosticEvent" in event:
            self._told(event["diagnosticEvent"])
        elif "policyEvent" in event:
            self._judged(event["policyEvent"])

    def _step(self, metadata: Mapping[str, Any]) -> None:
        one = self.seen.setdefault(str(metadata["urn"]), _Seen())
        if metadata["op"] not in one.steps:
            one.steps.append(str(metadata["op"]))
        one.old = {**(metadata.get("old") or {})} or one.old
        one.new = {**(metadata.get("new") or {})} or one.new
        one.keys |= set(metadata.get("keys") or ())
        one.paths |= cast("dict[str, Mapping[str, Any]]", metadata.get("detailedDiff") or {})

    def _told(self, diagnostic: Mapping[str, Any]) -> None:
        if diagnostic.get("severity") != "error":
            return
        text = _ANY_SECRET_TEXT.sub(r"\1[secret]", plain(str(diagnostic.get("message", ""))).strip())
        about = str(diagnostic.get("urn", "")).rpartition("::")[2]
        told = f"{about}: {text}" if about and not about.startswith("atwork-") else text
        if text and "preview failed" not in text and told not in self.errors:
            self.errors.append(told)

    def _judged(self, found: Mapping[str, Any]) -> None:
        message = " ".join(plain(str(found.get("message", ""))).split())
        about = str(found.get("resourceUrn", "")).rpartition("::")[2]
        one = Policy(
            name=str(found.get("policyName", "")),
            resource=about,
            message=message,
            mandatory=found.get("enforcementLevel") == "mandatory",
        )
        if one not in self.policies:
            self.policies.append(one)

    def report(self, *, code: int, pending: Iterable[str] = (), **about: Any) -> StackReport:
        """The report at the end; `code` is the engine's exit code."""
        hidden: list[str] = []
        changes: list[Change] = []
        exact: dict[str, str] = {}
        unchanged = 0
        vanishing = self._vanishing()
        for urn, one in self.seen.items():
            change = self._change(urn, one, hidden, maybe=urn in vanishing)
            if change is None:
                unchanged += _is_resource(urn, one)
                continue
            changes.append(change)
            kind = change.type
            exact[urn] = fingerprint.value(redacted(_inputs(one.new), kind, ""))
        changes.sort(key=lambda one: (not one.dangerous, _ORDER.index(one.kind) if one.kind in _ORDER else 9, one.urn))
        outputs = tuple(Output(name=one.path, old=one.old, new=one.new) for one in self._outputs(complete=code == 0))
        mandatory = [one for one in self.policies if one.mandatory]
        complete = code == 0 and self.ends == {"summaryEvent", "cancelEvent"}
        return StackReport(
            stack=self.stack,
            result=self._result(changes, outputs, complete=complete, broken=bool(mandatory)),
            complete=complete,
            counts=dict(Counter(change.kind for change in changes)),
            unchanged=unchanged,
            changes=tuple(changes),
            outputs=outputs,
            policies=tuple(self.policies),
            errors=tuple(self.errors),
            pending=tuple(pending),
            noise=tuple(sorted(set(hidden))),
            fingerprint=fingerprint.of(self.stack, changes, outputs, exact),
            **about,
        )

    def _outputs(self, *, complete: bool) -> list[Property]:
        """Outputs that change; a preview that broke off has not said what they become."""
        old, new = self.outputs
        return list(differences(old, new, _STACK)) if complete else []

    def _result(self, changes: list[Change], outputs: tuple[Output, ...], *, complete: bool, broken: bool) -> Result:
        if not complete:
            blocked = bool(self.errors) and all(_PROTECTION.search(one) for one in self.errors) and not broken
            return "blocked" if blocked else "failed"
        if any(change.dangerous for change in changes):
            return "guarded"
        return "changes" if changes or outputs else "unchanged"

    def _vanishing(self) -> set[str]:
        """Deletions of all children of a parent whose inputs are not known yet: they may come back."""
        children: dict[str, list[str]] = {}
        for urn, one in self.seen.items():
            children.setdefault(str((one.new or one.old).get("parent", "")), []).append(urn)
        found: set[str] = set()
        for parent, urns in children.items():
            unsure = parent in self.seen and has_unknown(_inputs(self.seen[parent].new))
            if unsure and all(self.seen[urn].steps == ["delete"] for urn in urns):
                found |= set(urns)
        return found

    def _change(self, urn: str, one: _Seen, hidden: list[str], *, maybe: bool) -> Change | None:
        type_name = urn.split("::")[2].rpartition("$")[2]
        # Every resource is read anew where that is asked for; what came of it are the steps after it.
        steps = [step for step in one.steps if step not in ("same", "refresh")]
        if type_name in _UNSEEN or (type_name.startswith("pulumi:providers:") and not steps):
            return None
        kinds = {_KINDS.get(step, "other") for step in steps}
        kind: Kind | None = next((each for each in (*_ORDER, "import", "read", "other") if each in kinds), None)
        old, new = _inputs(one.old), _inputs(one.new)
        properties = list(differences(old, new, type_name)) if kind in ("update", "replace") else []
        guards = tuple(_guards(one.old, one.new)) if kind not in ("create", "delete") else ()
        said = {guard.name for guard in guards}
        kept = [one for one in properties if one.path not in said and not self._noise(urn, one.path, hidden)]
        renamed = str(one.old.get("urn", ""))
        renamed = renamed if one.old and one.new and renamed not in ("", urn) else ""
        if kind is None and guards:
            kind = "guard"
        if kind is None and renamed:
            kind = "rename"
        if kind is None or (kind == "update" and properties and not kept and not guards and not renamed):
            return None
        causes = one.keys | {
            path for path, found in one.paths.items() if "replace" in str(found.get("kind", found)).lower()
        }
        marked = tuple(
            found.model_copy(update={"replaces": kind == "replace" and _causes(causes, found.path)}) for found in kept
        )
        return Change(
            kind=kind,
            step=", ".join(steps) or "same",
            type=type_name,
            name=urn.rpartition("::")[2],
            urn=urn,
            stateful=type_name in tables.stateful(),
            protected=bool(one.old.get("protect")),
            maybe=maybe,
            renamed_from=renamed,
            properties=marked,
            guards=guards,
            hidden_only=kind in ("update", "replace") and not marked and not guards,
        )

    def _noise(self, urn: str, path: str, hidden: list[str]) -> bool:
        found = next((one for one in self.known_noise if one.covers(urn, path)), None)
        if found is not None:
            hidden.append(f"{urn.rpartition('::')[2]}.{path}: {found.reason} (until {found.expires})")
        return found is not None


def _is_resource(urn: str, one: _Seen) -> bool:
    """Whether it is something in a cloud, as the engine's own count of custom resources."""
    return bool((one.new or one.old).get("custom")) and "::pulumi:" not in urn.replace("$pulumi:", "::pulumi:")


def _inputs(state: Mapping[str, Any]) -> dict[str, Any]:
    return state.get("inputs") or {}


def _causes(causes: set[str], path: str) -> bool:
    return any(path == cause or path.startswith((f"{cause}.", f"{cause}[")) for cause in causes)


def _guards(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[Guard]:
    """Protections that differ: the engine's, and those among the inputs, wherever they are."""
    if not old or not new:
        return
    for key in ("protect", "retainOnDelete"):
        before, after = bool(old.get(key)), bool(new.get(key))
        if before != after:
            yield Guard(name=key, old=_word(value=before), new=_word(value=after), removed=before)
    for found in differences(_inputs(old), _inputs(new), str(new.get("type", ""))):
        name = found.path.rpartition(".")[2]
        if name in _GUARDS:
            before, after = str(found.old), str(found.new)
            removed = before in ("true", "PREVENT", "ABANDON") or (before == "None" and after in ("false", "DELETE"))
            yield Guard(name=found.path, old=before, new=after, removed=removed)


def _word(*, value: bool) -> str:
    return shown(value, "", "") or ""
