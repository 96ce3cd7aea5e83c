"""What an operation of the engine did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from atwork.engine import events
from atwork.engine.events import Diagnostic, Event

_NOT_COUNTED = ("pulumi:pulumi:StackReference",)
_PRINTED = 2000
"""Characters of the engine's output that are kept for an error without an event."""


@dataclass
class Outcome:
    """Counts by kind of step, errors, advice of policies, seconds and the exit code."""

    stack: str
    code: int = 0
    steps: Counter[str] = field(default_factory=Counter[str])
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    """Errors, and violations of mandatory policies, in the order of their events."""
    advice: list[str] = field(default_factory=list[str])
    """Violations that do not stop an update."""
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether the engine refused the operation or stopped in it."""
        return self.code != 0

    @property
    def errors(self) -> list[str]:
        """The errors, each with the name of its resource and without repetition."""
        return list(dict.fromkeys(map(str, self.diagnostics)))

    @property
    def error_lines(self) -> list[str]:
        """The errors, each on one line."""
        return [" ".join(error.split()) for error in self.errors]

    def add(self, event: Event) -> None:
        """Add what an event says."""
        if (step := events.finished(event)) is not None:
            resource = step.get("new") or step.get("old") or {}
            if resource.get("custom") and step["type"] not in _NOT_COUNTED:
                self.steps[step["op"]] += 1
        elif (error := events.error(event)) is not None:
            self.diagnostics.append(error)
        elif (violation := events.violation(event)) is not None:
            diagnostic = Diagnostic(violation.urn, f"{violation.policy}: {violation.message}")
            if violation.mandatory:
                self.diagnostics.append(diagnostic)
            else:
                self.advice.append(str(diagnostic))

    def end(self, code: int, printed: str) -> None:
        """Set the exit code; an engine that fails before its first event has only printed its error."""
        self.code = code
        if code and not self.diagnostics:
            _, separator, message = f"\n{printed}".partition("\nerror: ")
            text = (message if separator else printed).strip()[-_PRINTED:]
            self.diagnostics.append(Diagnostic("", text or f"the engine ended with code {code}"))
