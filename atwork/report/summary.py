"""The summary of a report: signs, verdict, decisions and remarks, for every way to show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from atwork.age import age
from atwork.errors import ExitCode
from atwork.report.model import Change, Result, StackReport
from atwork.report.text import listed
from atwork.report.violations import PolicyViolations, grouped

RESULTS = {
    "unchanged": ("⬜", "no changes"),
    "changes": ("🟨", "changes"),
    "guarded": ("🟥", "needs a decision"),
    "blocked": ("🟥", "blocked by protection"),
    "failed": ("❌", "failed"),
}
SIGNS = {
    "create": "+",
    "update": "~",
    "replace": "±",
    "delete": "-",
    "retain": "⊝",
    "guard": "🔓",
    "rename": "→",
    "import": "⇐",
}
_TOTALS: dict[Result, str] = {
    "failed": "failed",
    "blocked": "blocked by protection",
    "guarded": "with a decision to make",
    "changes": "with changes",
    "unchanged": "without changes",
}
MAX_ITEMS = 10
"""Maximum number of decisions that are listed for each stack."""

MAX_STACKS = 5
"""Maximum number of stacks whose names are part of a sentence."""

COLUMNS = ("create", "update", "replace", "delete")


def verdict(reports: Sequence[StackReport]) -> str:
    """The worst result of all stacks, in one line."""
    results = [item for item in ("failed", "blocked", "guarded", "changes") if any(r.result == item for r in reports)]
    if not results:
        return "no changes"
    names = listed([report.stack for report in reports if report.result == results[0]], MAX_STACKS)
    return {
        "failed": f"{names} failed",
        "blocked": f"{names} blocked by protection",
        "guarded": f"{names} needs a decision",
        "changes": f"changes in {names}",
    }[results[0]]


def stacks(count: int) -> str:
    """A number of stacks in words."""
    return f"{count:,} stack{'s' * (count != 1)}"


def totals(reports: Sequence[StackReport]) -> str:
    """The number of stacks with each result."""
    counts = Counter(report.result for report in reports)
    parts = [f"{counts[result]:,} {words}" for result, words in _TOTALS.items() if counts[result]]
    return f"{stacks(len(reports))}: {', '.join(parts)}"


def code(reports: Sequence[StackReport], *, decided: bool = False) -> int:
    """The exit code of a preview.

    `decided`: somebody accepted the dangerous changes. A change that a protection blocks still returns 3.
    """
    results = {report.result for report in reports}
    if "failed" in results:
        return ExitCode.FAILED
    if "blocked" in results or ("guarded" in results and not decided):
        return ExitCode.REFUSED
    return ExitCode.CHANGES if results & {"changes", "guarded"} else ExitCode.OK


def is_passing(reports: Sequence[StackReport], *, decided: bool = False) -> bool:
    """Whether the change may proceed."""
    return code(reports, decided=decided) in (ExitCode.OK, ExitCode.CHANGES)


def caution(report: StackReport, change: Change) -> str:
    """Why a change needs a decision, in one sentence."""
    kind = change.type.rpartition(":")[2]
    about = f"{report.stack} {kind} {change.name}"
    holds = " and ".join(f"is {mark}" if mark == "protected" else mark for mark in marks(change))
    reasons: list[str] = []
    if change.kind == "replace":
        causes = ", ".join(item.path for item in change.properties if item.replaces) or "something that cannot change"
        reasons.append(f"would be replaced because of {causes}" + (f"; it {holds}" if holds else ""))
    elif change.kind == "delete":
        reasons.append("would be deleted" + (f"; it {holds}" if holds else ""))
    if change.taken_by:
        reasons.append(
            f"would fail with 409: {change.taken_by} is left behind under the same name; keep the resource's name in "
            "the program by an alias, or adopt it afterwards with `atwork environment adopt`"
        )
    for guard in change.guards:
        if guard.removed:
            unseen = "; the engine counts this as unchanged" if change.kind == "guard" else ""
            reasons.append(f"{guard.name} goes from {guard.old} to {guard.new}{unseen}")
    if change.refused:
        reasons.append(f"would be refused: {change.refused}")
    maybe = " (uncertain: the inputs of its parent are not known yet)" if change.maybe else ""
    return f"{about}: {'; '.join(reasons)}{maybe}"


def decisions(report: StackReport) -> list[str]:
    """Everything that needs a decision; of many changes, the first, and the number of the others by type."""
    sentences = [caution(report, change) for change in report.dangers[:MAX_ITEMS]]
    rest = Counter(change.type.rpartition(":")[2] for change in report.dangers[MAX_ITEMS:])
    if rest:
        kinds = ", ".join(f"{count} {kind}" for kind, count in rest.items())
        sentences.append(f"{report.stack}: and {rest.total()} more: {kinds}")
    sentences += [f"{report.stack}: {error}" for error in report.errors[:MAX_ITEMS]]
    broken = [item for item in grouped(report.policies) if item.mandatory]
    sentences += [f"{report.stack}: {_subjects(item)} the policy {item.name}" for item in broken[:MAX_ITEMS]]
    sentences += [f"{report.stack}: an interrupted update left {left}" for left in report.pending[:MAX_ITEMS]]
    return sentences


def _subjects(violation: PolicyViolations) -> str:
    verb = "violates" if len(violation.resources) == 1 else "violate"
    return f"{listed(violation.resources, MAX_ITEMS)} {verb}"


def marks(change: Change) -> list[str]:
    """Properties of a resource that make its change dangerous."""
    return [word for word, on in (("holds data", change.stateful), ("protected", change.protected)) if on]


def tags(change: Change) -> list[str]:
    """The tags of a change: its marks, and whether it is certain."""
    return marks(change) + (["uncertain: inputs are not known yet"] if change.maybe else [])


def state(report: StackReport) -> list[str]:
    """The age of the state, its pending operations, and its locks."""
    sentences: list[str] = []
    if report.new:
        sentences.append("no state yet")
    elif report.updated and report.created_at:
        sentences.append(f"{age(*map(datetime.fromisoformat, (report.updated, report.created_at)))} old")
    if report.pending:
        sentences.append(f"{len(report.pending)} pending")
    sentences += [f"locked by {item.owner}" for item in report.held]
    if report.held_unread:
        sentences.append("locks not read")
    if report.unasked:
        sentences.append("providers not asked")
    return sentences


def remarks(reports: Sequence[StackReport]) -> list[str]:
    """Remarks on the stacks other than changes."""
    return [*(remark for report in reports for remark in remarks_on(report)), *unclassified(reports)]


def remarks_on(report: StackReport) -> list[str]:
    """Remarks on one stack."""
    sentences = [
        f"{report.stack} is being updated{f' by {item.run}' if item.run else ''}, by {item.owner}: this preview may be "
        "based on a partial state; run it again after the update"
        for item in report.held
    ]
    sentences += [f"{report.stack}: {report.held_unread}"] if report.held_unread else []
    sentences += [left_behind(report)] if report.counts.get("retain") else []
    return sentences


def unclassified(reports: Sequence[StackReport]) -> list[str]:
    """The types of all stacks that nobody has classified, in one sentence if there are any."""
    unsure = sorted({kind for report in reports for kind in report.unclassified})
    return [f"not classified, so check whether they hold data: {', '.join(unsure)}"] if unsure else []


def left_behind(report: StackReport) -> str:
    """The resources that leave the stack and stay in the cloud."""
    names = [change.name for change in report.changes if change.kind == "retain"]
    subject = f"{listed(names, MAX_ITEMS)} {'is' if len(names) == 1 else 'are'}"
    return (
        f"{report.stack}: {subject} left behind, not deleted: data and names stay in the cloud; "
        f"`atwork environment adopt {report.stack}` imports those that return to the program"
    )


def policy(report: StackReport) -> tuple[int, int, int]:
    """Numbers of violated mandatory policies, of violated advisory policies, and of all policies."""
    broken = sum(item.mandatory for item in report.policies)
    return broken, len(report.policies) - broken, report.rules
