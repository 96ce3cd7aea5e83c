"""From the engine's events to a report. Nothing is dropped: a step that is not known here is a change."""

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
    """Events of one preview, taken one after the other."""

    stack: str
    seen: dict[str, Seen] = field(default_factory=dict[str, Seen])
    outputs: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})
    errors: list[str] = field(default_factory=list[str])
    policies: list[Policy] = field(default_factory=list[Policy])
    rules: set[str] = field(default_factory=set[str])
    ends: set[str] = field(default_factory=set[str])
    strange: int = 0
    """Events that have not the form that this program knows."""
    known_noise: tuple[tables.Noise, ...] = field(default_factory=lambda: tables.noise(datetime.now(UTC).date()))

    def take(self, event: Any) -> None:
        """Learn from one event. One that cannot be understood makes the report a failure and not a crash."""
        try:
            self._take(mapping(event))
        except (AttributeError, KeyError, TypeError, ValueError):
            self.strange += 1

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
                looked = mapping(event[key])
                self.rules |= {str(name) for name in (*(looked.get("passed") or ()), *(looked.get("failed") or ()))}

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
        self, *, code: int, pending: Iterable[str] = (), read_by: Callable[[str], tuple[str, ...]] | None = None,
        **about: Any,
    ) -> StackReport:  # fmt: skip
        """The report at the end; `code` is the engine's exit code, `read_by` names the stacks that read an output."""
        scrub = Scrub(self._secrets())
        hidden: list[str] = []
        changes: list[Change] = []
        exact: dict[str, str] = {}
        unchanged = 0
        vanishing = self._vanishing()
        taken = self._taken_names()
        for urn, one in self.seen.items():
            change = change_of(urn, one, self.known_noise, hidden, maybe=urn in vanishing)
            if change is None:
                unchanged += one.custom
                continue
            if change.kind == "create":
                change = change.model_copy(
                    update={"taken_by": taken.get(self._name_in_the_cloud(one.type, one.new), "")}
                )
            changes.append(change)
            exact[urn] = fingerprint.value(redacted(inputs(one.new), change.type, ""))
        changes.sort(
            key=lambda one: (
                not one.refused,
                not one.dangerous,
                ORDER.index(one.kind) if one.kind in ORDER else 9,
                one.urn,
            )
        )
        ended = code == 0 and self.ends >= _ENDS and not self.strange
        outputs = self._outputs(read_by) if ended else ()  # one that broke off has not said what they become
        if self.strange:
            self.errors.append(
                f"{self.strange} events of the engine have no form that is known here, so that something may be "
                "missing; is it another version than the project's?"
            )
        return scrub.report(
            StackReport(
                stack=self.stack,
                result=self._result(changes, outputs, complete=ended),
                complete=ended,
                counts=dict(Counter(change.kind for change in changes)),
                unchanged=unchanged,
                changes=tuple(changes),
                outputs=outputs,
                policies=tuple(self.policies),
                rules=len(self.rules),
                errors=tuple(self.errors),
                pending=tuple(pending),
                noise=tuple(sorted(set(hidden))),
                unclassified=tables.unclassified(
                    change.type for change in changes if self.seen[change.urn].custom
                ),
                fingerprint=fingerprint.of(self.stack, changes, outputs, exact),
                **about,
            )
        )  # fmt: skip

    def _outputs(self, read_by: Callable[[str], tuple[str, ...]] | None) -> tuple[Output, ...]:
        old, new = self.outputs
        return tuple(
            Output(name=one.path, old=one.old, new=one.new, read_by=read_by(one.path) if read_by else ())
            for one in differences(old, new, _STACK)
        )

    def _secrets(self) -> set[str]:
        """Values that are secret somewhere, so that they come out nowhere else."""
        found = set(secrets(*self.outputs, _STACK))
        for one in self.seen.values():
            for part in ("inputs", "outputs"):
                found |= set(secrets(one.old.get(part), one.new.get(part), one.type))
        return found

    def _result(self, changes: list[Change], outputs: tuple[Output, ...], *, complete: bool) -> Result:
        if not complete:
            broken = any(one.mandatory for one in self.policies) or self.strange
            blocked = bool(self.errors) and all(_PROTECTION.search(one) for one in self.errors) and not broken
            return "blocked" if blocked else "failed"
        if any(change.refused for change in changes):
            return "blocked"
        if any(change.dangerous for change in changes):
            return "guarded"
        return "changes" if changes or outputs else "unchanged"

    def _taken_names(self) -> dict[tuple[str, str], str]:
        """What this update leaves behind, by type and id: a create of the same meets 409."""
        left = (
            (self._name_in_the_cloud(one.type, one.old), urn)
            for urn, one in self.seen.items()
            if one.steps == ["delete"] and is_kept(one.type, one.old)
        )
        return {name: name_of(urn) for name, urn in left if name[1]}

    @staticmethod
    def _name_in_the_cloud(kind: str, state: Mapping[str, Any]) -> tuple[str, str]:
        return kind, import_id(kind, inputs(state), "")

    def _vanishing(self) -> set[str]:
        """Deletions of all children of a parent whose inputs are not known yet: they may come back."""
        children: dict[str, list[str]] = {}
        for urn, one in self.seen.items():
            children.setdefault(one.parent, []).append(urn)
        found: set[str] = set()
        for parent, urns in children.items():
            unsure = parent in self.seen and has_unknown(inputs(self.seen[parent].new))
            if unsure and all(self.seen[urn].steps == ["delete"] for urn in urns):
                found |= set(urns)
        return found
