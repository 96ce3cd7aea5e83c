"""What an operation of the engine did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from atwork.engine import events
from atwork.engine.events import Diagnostic, Event, Violation

_NOT_COUNTED = ("pulumi:pulumi:StackReference",)
_PRINTED = 2000
"""Characters of the engine's output that are kept for an error without an event."""


@dataclass
class Outcome:
    """Counts by kind of step, errors, violations of policies, seconds and the exit code."""

    stack: str
    code: int = 0
    steps: Counter[str] = field(default_factory=Counter[str])
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    """Errors in the order of their events."""
    violations: list[Violation] = field(default_factory=list[Violation])
    """Violations of policies in the order of their events."""
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether the engine refused the operation or stopped in it."""
        return self.code != 0

    @property
    def errors(self) -> list[str]:
        """The errors, each with the name of its resource and without repetition, and mandatory policies that failed."""
        return [*dict.fromkeys(map(str, self.diagnostics)), *self._sentences(mandatory=True)]

    @property
    def error_lines(self) -> list[str]:
        """The errors, each on one line and without a traceback."""
        sentences = [" ".join(sentence.split()) for sentence in self._sentences(mandatory=True)]
        return [*dict.fromkeys(diagnostic.line for diagnostic in self.diagnostics), *sentences]

    @property
    def advice(self) -> list[str]:
        """Policies that failed and do not stop an update, each with its resources."""
        return self._sentences(mandatory=False)

    def _sentences(self, *, mandatory: bool) -> list[str]:
        return events.sentences(each for each in self.violations if each.mandatory == mandatory)

    def add(self, event: Event) -> None:
        """Add what an event says."""
        if (step := events.finished(event)) is not None:
            resource = step.get("new") or step.get("old") or {}
            if resource.get("custom") and step["type"] not in _NOT_COUNTED:
                self.steps[step["op"]] += 1
        elif (error := events.error(event)) is not None:
            self.diagnostics.append(error)
        elif (violation := events.violation(event)) is not None:
            self.violations.append(violation)

    def end(self, code: int, printed: str) -> None:
        """Set the exit code; an engine that fails before its first event has only printed its error."""
        self.code = code
        if code and not self.errors:
            _, separator, message = f"\n{printed}".partition("\nerror: ")
            text = (message if separator else printed).strip()[-_PRINTED:]
            self.diagnostics.append(Diagnostic("", text or f"the engine ended with code {code}"))
