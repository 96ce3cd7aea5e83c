"""Words and signs that all ways of showing a report share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from atwork.age import age
from atwork.errors import ExitCode
from atwork.report.model import Change, StackReport

RESULTS = {
    "unchanged": ("⬜", "no changes"),
    "changes": ("🟨", "changes"),
    "guarded": ("🟥", "needs a decision"),
    "blocked": ("🟥", "blocked by protection"),
    "failed": ("❌", "failed"),
}
SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "-", "retain": "⊝", "guard": "🔓", "rename": "→",
         "import": "⇐"}  # fmt: skip
MOST = 10
"""Decisions that are told one by one for each stack."""

COLUMNS = ("create", "update", "replace", "delete")


def verdict(reports: Sequence[StackReport]) -> str:
    """The worst that any stack says, in one line."""
    worst = [one for one in ("failed", "blocked", "guarded", "changes") if any(r.result == one for r in reports)]
    if not worst:
        return "no changes"
    names = ", ".join(report.stack for report in reports if report.result == worst[0])
    return {
        "failed": f"{names} failed",
        "blocked": f"{names} blocked by protection",
        "guarded": f"{names} needs a decision",
        "changes": f"changes in {names}",
    }[worst[0]]


def code(reports: Sequence[StackReport], *, decided: bool = False) -> int:
    """The exit code of a preview.

    `decided`: somebody lets the dangers pass. What a protection blocks stays 3: the update would be refused.
    """
    results = {report.result for report in reports}
    if "failed" in results:
        return ExitCode.FAILED
    if "blocked" in results or ("guarded" in results and not decided):
        return ExitCode.REFUSED
    return ExitCode.CHANGES if results & {"changes", "guarded"} else ExitCode.OK


def caution(report: StackReport, change: Change) -> str:
    """Why somebody has to decide, in one sentence."""
    kind = change.type.rpartition(":")[2]
    about = f"{report.stack} {kind} {change.name}"
    holds = " and ".join(f"is {mark}" if mark == "protected" else mark for mark in marks(change))
    said: list[str] = []
    if change.kind == "replace":
        causes = ", ".join(one.path for one in change.properties if one.replaces) or "something that cannot change"
        said.append(f"would be replaced because of {causes}" + (f"; it {holds}" if holds else ""))
    elif change.kind == "delete":
        said.append("would be deleted" + (f"; it {holds}" if holds else ""))
    if change.taken_by:
        said.append(
            f"would fail with 409: {change.taken_by} is left behind under the same name; keep the resource's name in "
            "the program by an alias, or adopt it afterwards with `atwork environment adopt`"
        )
    for guard in change.guards:
        if guard.removed:
            unseen = "; the engine counts this as unchanged" if change.kind == "guard" else ""
            said.append(f"{guard.name} goes from {guard.old} to {guard.new}{unseen}")
    if change.refused:
        said.append(f"would be refused: {change.refused}")
    maybe = " (perhaps: its parent's inputs are not known yet)" if change.maybe else ""
    return f"{about}: {'; '.join(said)}{maybe}"


def decisions(report: StackReport) -> list[str]:
    """What needs somebody, in sentences; of very many changes, the first and how many of each type follow."""
    told = [caution(report, change) for change in report.dangers[:MOST]]
    rest = Counter(change.type.rpartition(":")[2] for change in report.dangers[MOST:])
    if rest:
        kinds = ", ".join(f"{count} {kind}" for kind, count in rest.items())
        told.append(f"{report.stack}: and {rest.total()} more: {kinds}")
    told += [f"{report.stack}: {error}" for error in report.errors[:MOST]]
    broken = [one for one in report.policies if one.mandatory]
    told += [f"{report.stack} {one.resource}: breaks the policy {one.name}" for one in broken[:MOST]]
    told += [f"{report.stack}: an interrupted update left {left}" for left in report.pending[:MOST]]
    return told


def marks(change: Change) -> list[str]:
    """What makes a change weigh more."""
    return [word for word, on in (("holds data", change.stateful), ("protected", change.protected)) if on]


def tags(change: Change) -> list[str]:
    """What stands beside a change: its weight, and whether it is sure."""
    return marks(change) + (["perhaps: inputs are not known yet"] if change.maybe else [])


def state(report: StackReport) -> list[str]:
    """How old the state is, what an interrupted update left in it, who holds it."""
    told: list[str] = []
    if report.new:
        told.append("no state yet")
    elif report.updated and report.made:
        told.append(f"{age(*map(datetime.fromisoformat, (report.updated, report.made)))} old")
    if report.pending:
        told.append(f"{len(report.pending)} pending")
    told += [f"locked by {one.owner}" for one in report.held]
    if report.held_unread:
        told.append("locks not read")
    if report.unasked:
        told.append("providers not asked")
    return told


def remarks(reports: Sequence[StackReport]) -> list[str]:
    """What a reader should know beside the changes, each said once."""
    told = [
        f"{report.stack} is being updated{f' by {one.run}' if one.run else ''}, by {one.owner}: this preview may be of "
        "half a state; make it again when that has ended"
        for report in reports
        for one in report.held
    ]
    told += [f"{report.stack}: {report.held_unread}" for report in reports if report.held_unread]
    told += [left_behind(report) for report in reports if report.counts.get("retain")]
    unsure = sorted({kind for report in reports for kind in report.unclassified})
    if unsure:
        told.append(f"not classified, so look whether they hold data: {', '.join(unsure)}")
    return told


def left_behind(report: StackReport) -> str:
    """What leaves the stack and stays in the cloud."""
    names = [change.name for change in report.changes if change.kind == "retain"]
    shown = ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")
    verb = "is" if len(names) == 1 else "are"
    return (
        f"{report.stack}: {shown} {verb} left behind, not deleted: data and names stay in the cloud; "
        f"`atwork environment adopt {report.stack}` takes back what returns to the program"
    )


def policy(report: StackReport) -> tuple[int, int, int]:
    """How many policies are broken, advise, and looked at all."""
    broken = sum(one.mandatory for one in report.policies)
    return broken, len(report.policies) - broken, report.rules
