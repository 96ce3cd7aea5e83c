"""From the engine's events to a report. Nothing is dropped: an unknown step counts as a change."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from atwork.engine import events
from atwork.engine.urn import name_of
from atwork.report import fingerprint, tables
from atwork.report.changes import ORDER, Seen, change_of, inputs, mapping
from atwork.report.keeping import import_id, is_kept
from atwork.report.model import Change, Output, Policy, Result, StackReport
from atwork.report.scrub import Scrub, secrets
from atwork.report.values import differences, has_unknown, redacted

_PROTECTION = re.compile(
    r"marked for protection|is protected|cannot be deleted|PREVENT|deletion_protection", re.IGNORECASE
)
_STACK = "pulumi:pulumi:Stack"
_ENDS = frozenset({"summaryEvent", "cancelEvent"})


@dataclass
class Reading:
    """Reads the events of one preview."""

    stack: str
    seen: dict[str, Seen] = field(default_factory=dict[str, Seen])
    outputs: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})
    errors: list[str] = field(default_factory=list[str])
    policies: list[Policy] = field(default_factory=list[Policy])
    rules: set[str] = field(default_factory=set[str])
    ends: set[str] = field(default_factory=set[str])
    malformed: int = 0
    """Number of events with an unknown form."""
    known_noise: tuple[tables.Noise, ...] = field(default_factory=lambda: tables.noise(datetime.now(UTC).date()))

    def take(self, event: Any) -> None:
        """Read one event. A malformed event makes the report fail instead of the program."""
        try:
            self._take(mapping(event))
        except (AttributeError, KeyError, TypeError, ValueError):
            self.malformed += 1

    def _take(self, event: Mapping[str, Any]) -> None:
        self.ends |= _ENDS & event.keys()
        if (ended := events.finished(event)) is not None and ended["type"] == _STACK:
            old, new = mapping(ended.get("old")), mapping(ended.get("new"))
            self.outputs = (mapping(old.get("outputs")), mapping(new.get("outputs")))
        if (step := events.step(event)) is not None:
            self._step(step)
        elif (error := events.error(event)) is not None:
            if str(error) not in self.errors:
                self.errors.append(str(error))
        elif (violation := events.violation(event)) is not None:
            self._violation(violation)
        for key in ("policyAnalyzeSummaryEvent", "policyAnalyzeStackSummaryEvent"):
            if key in event:
                analysis = mapping(event[key])
                self.rules |= {str(name) for name in (*(analysis.get("passed") or ()), *(analysis.get("failed") or ()))}

    def _step(self, metadata: Mapping[str, Any]) -> None:
        urn = str(metadata["urn"])
        self.seen.setdefault(urn, Seen()).learn(urn, metadata)

    def _violation(self, violation: events.Violation) -> None:
        policy = Policy(
            name=violation.policy,
            resource=name_of(violation.urn),
            message=violation.message,
            mandatory=violation.mandatory,
        )
        if policy not in self.policies:
            self.policies.append(policy)

    def report(
        self,
        *,
        code: int,
        pending: Iterable[str] = (),
        read_by: Callable[[str], tuple[str, ...]] | None = None,
        **about: Any,
    ) -> StackReport:
        """The report at the end; `code` is the engine's exit code, `read_by` returns the stacks that read an output."""
        hidden: list[str] = []
        changes, exact, unchanged = self._changes(hidden)
        complete = code == 0 and self.ends >= _ENDS and not self.malformed
        # A preview that did not end has not reported what the outputs become.
        outputs = self._outputs(read_by) if complete else ()
        if self.malformed:
            self.errors.append(
                f"{self.malformed} events of the engine have an unknown form, so the report may be incomplete; "
                "use the engine's version of the project"
            )
        report = StackReport(
            stack=self.stack,
            result=self._result(changes, outputs, complete=complete),
            complete=complete,
            counts=dict(Counter(change.kind for change in changes)),
            unchanged=unchanged,
            changes=tuple(changes),
            outputs=outputs,
            policies=tuple(self.policies),
            rules=len(self.rules),
            errors=tuple(self.errors),
            pending=tuple(pending),
            noise=tuple(sorted(set(hidden))),
            unclassified=tables.unclassified(change.type for change in changes if self.seen[change.urn].custom),
            fingerprint=fingerprint.of(self.stack, changes, outputs, exact),
            **about,
        )
        return Scrub(self._secrets()).report(report)

    def _changes(self, hidden: list[str]) -> tuple[list[Change], dict[str, str], int]:
        """The changes, most important first, a hash of the new inputs by URN, and the number of unchanged resources."""
        changes: list[Change] = []
        exact: dict[str, str] = {}
        unchanged = 0
        uncertain, taken = self._uncertain_deletions(), self._taken_names()
        for urn, resource in self.seen.items():
            change = change_of(urn, resource, self.known_noise, hidden, maybe=urn in uncertain)
            if change is None:
                unchanged += resource.custom
                continue
            if change.kind == "create":
                name = self._cloud_name(resource.type, resource.new)
                change = change.model_copy(update={"taken_by": taken.get(name, "")})
            changes.append(change)
            exact[urn] = fingerprint.value(redacted(inputs(resource.new), change.type, ""))
        return sorted(changes, key=_importance), exact, unchanged

    def _outputs(self, read_by: Callable[[str], tuple[str, ...]] | None) -> tuple[Output, ...]:
        old, new = self.outputs
        return tuple(
            Output(name=item.path, old=item.old, new=item.new, read_by=read_by(item.path) if read_by else ())
            for item in differences(old, new, _STACK)
        )

    def _secrets(self) -> set[str]:
        """Values that are secret in one place, so that no other place shows them; a name in a URN is no secret."""
        values = set(secrets(*self.outputs, _STACK))
        for resource in self.seen.values():
            for part in ("inputs", "outputs"):
                values |= set(secrets(resource.old.get(part), resource.new.get(part), resource.type))
        return values - {name_of(urn) for urn in self.seen}

    def _result(self, changes: list[Change], outputs: tuple[Output, ...], *, complete: bool) -> Result:
        if not complete:
            broken = any(policy.mandatory for policy in self.policies) or self.malformed
            blocked = bool(self.errors) and all(_PROTECTION.search(error) for error in self.errors) and not broken
            return "blocked" if blocked else "failed"
        if any(change.refused for change in changes):
            return "blocked"
        if any(change.dangerous for change in changes):
            return "guarded"
        return "changes" if changes or outputs else "unchanged"

    def _taken_names(self) -> dict[tuple[str, str], str]:
        """Resources that this update leaves in the cloud, by type and id; creating the same again fails with 409."""
        kept = (
            (self._cloud_name(resource.type, resource.old), urn)
            for urn, resource in self.seen.items()
            if resource.steps == ["delete"] and is_kept(resource.type, resource.old)
        )
        return {name: name_of(urn) for name, urn in kept if name[1]}

    @staticmethod
    def _cloud_name(kind: str, state: Mapping[str, Any]) -> tuple[str, str]:
        return kind, import_id(kind, inputs(state), "")

    def _uncertain_deletions(self) -> set[str]:
        """Deletions of all children of a parent with unknown inputs: the update may create them again."""
        children: dict[str, list[str]] = {}
        for urn, resource in self.seen.items():
            children.setdefault(resource.parent, []).append(urn)
        uncertain: set[str] = set()
        for parent, urns in children.items():
            unknown = parent in self.seen and has_unknown(inputs(self.seen[parent].new))
            if unknown and all(self.seen[urn].steps == ["delete"] for urn in urns):
                uncertain |= set(urns)
        return uncertain


def _importance(change: Change) -> tuple[bool, bool, int, str]:
    """A sort key: refused changes first, then dangerous ones, then by kind and URN."""
    position = ORDER.index(change.kind) if change.kind in ORDER else len(ORDER)
    return not change.refused, not change.dangerous, position, change.urn
