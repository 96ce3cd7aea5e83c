"""The stacks of groups: which of them a reader need not see, and what matters first in many stacks.

A stack is named ENVIRONMENT or ENVIRONMENT.GROUP. Groups about which there is nothing to say are folded to one line for
each environment, because a company has hundreds of them and a change reaches few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atwork.report.model import StackReport
from atwork.report.text import listed
from infra.stack_name import StackName

_ORDER = ("failed", "blocked", "guarded", "changes", "unchanged")
"""Results, the most important first."""

_ALWAYS_SET = frozenset(
    {
        *("version", "stack", "result", "complete", "counts", "unchanged", "rules", "updated"),
        *("unasked", "fingerprint", "created_at", "seconds", "head", "base"),
    }
)
"""Fields that a report without changes may have. Any other field, also a later one, keeps a stack from being folded."""

MANY = 10
"""Number of stacks above which a reader looks for the important ones."""
_FEW = 5
"""Maximum number of groups whose names are part of the line."""


@dataclass(frozen=True)
class Folded:
    """The groups of one environment without changes."""

    environment: str
    reports: tuple[StackReport, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of the groups."""
        return tuple(StackName.parse(report.stack).group or "" for report in self.reports)

    @property
    def title(self) -> str:
        """The line without names, such as `staging: 38 groups unchanged`."""
        count = len(self.reports)
        unasked = ", providers not asked" if any(report.unasked for report in self.reports) else ""
        return f"{self.environment}: {count:,} group{'s' * (count > 1)} unchanged{unasked}"

    @property
    def is_short(self) -> bool:
        """Whether the names fit in the line."""
        return len(self.reports) <= _FEW

    @property
    def line(self) -> str:
        """The line, with the names where there are few."""
        return f"{self.title} ({listed(self.groups, _FEW)})" if self.is_short else self.title


def fold(reports: Sequence[StackReport]) -> tuple[list[StackReport], list[Folded]]:
    """The stacks that have a row of their own, in their order, and the folded groups by environment."""
    rows: list[StackReport] = []
    folded: dict[str, list[StackReport]] = {}
    for report in reports:
        if StackName.parse(report.stack).group is not None and is_quiet(report):
            folded.setdefault(StackName.parse(report.stack).environment, []).append(report)
        else:
            rows.append(report)
    return rows, [Folded(environment, tuple(items)) for environment, items in folded.items()]


def is_quiet(report: StackReport) -> bool:
    """Whether there is nothing to say: no change, failure, violation, pending operation, lock or ignored difference."""
    return (
        report.result == "unchanged"
        and report.complete
        and not report.counts
        and all(
            getattr(report, name) == field.default
            for name, field in StackReport.model_fields.items()
            if name not in _ALWAYS_SET
        )
    )


def ordered(reports: Sequence[StackReport]) -> list[StackReport]:
    """The stacks in their order, which is that of their updates; of many, the most important first."""
    return sorted(reports, key=importance) if len(reports) > MANY else [*reports]


def importance(report: StackReport) -> tuple[int, bool]:
    """A sort key: failures first, then what needs a decision, changes, locks and advice, and nothing to say last."""
    position = _ORDER.index(report.result)
    if report.pending:  # an interrupted update needs a decision, whatever changes now
        position = min(position, _ORDER.index("guarded"))
    return position, is_quiet(report)
