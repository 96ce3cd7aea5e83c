"""The table of the comment, and the groups without changes below it."""

from __future__ import annotations

from collections.abc import Sequence

from atwork.report import summary
from atwork.report.groups import Folded
from atwork.report.markdown_text import LINE, SHORTEST_LINE, one_line, plain
from atwork.report.model import StackReport
from atwork.report.text import fitting, size

_HEADER = [
    "| Stack | Result | + | ~ | ± | - | Guards | Policy | Outputs | State | Fingerprint |",
    "|---|---|--:|--:|--:|--:|--:|---|---|---|---|",
]


def table(reports: Sequence[StackReport]) -> list[str]:
    """The header, and a row for each stack."""
    first: dict[str, str] = {}
    lines = [*_HEADER] if reports else []
    for report in reports:
        same = first.setdefault(report.fingerprint, report.stack) if report.complete and report.changes else ""
        lines.append(_row(report, same if same != report.stack else ""))
    return lines


def table_within(reports: Sequence[StackReport], space: int) -> tuple[list[str], int]:
    """The rows that fit, and the number of the others."""
    lines = fitting(table(reports), space)
    rows = max(0, len(lines) - len(_HEADER))
    return (lines if rows else []), len(reports) - rows


def folded_lines(folded: Sequence[Folded]) -> list[str]:
    """A line for each environment; its names are in it where there are few, else behind it."""
    short = [f"- {plain(item.line)}" for item in folded if item.is_short]
    long = [
        f"<details><summary>{plain(item.title)}</summary>\n\n{plain(', '.join(item.groups))}\n\n</details>"
        for item in folded
        if not item.is_short
    ]
    return [line for lines in (short, long) if lines for line in ("", *lines)]


def folded_within(folded: Sequence[Folded], space: int) -> tuple[list[str], int]:
    """The lines that fit, and the number of the other environments; if not all fit, they are without names."""
    lines = folded_lines(folded)
    if size(lines) <= space:
        return lines, 0
    lines = fitting(["", *(f"- {plain(item.title)}" for item in folded)], space)
    return lines, len(folded) - max(0, len(lines) - 1)


def _row(report: StackReport, same: str) -> str:
    sign, result = summary.RESULTS[report.result]
    result = f"same as {plain(same)}" if same else result
    if report.new:
        sign, result = "🆕", f"new environment, {result}"
    if not report.complete:
        result += ", counts are partial"
    counts = [str(report.counts.get(kind) or "·") for kind in summary.COLUMNS]
    guards = sum(len(change.guards) for change in report.changes)
    broken, advice, rules = summary.policy(report)
    policy = f"❌ {broken}" if broken else f"⚠️ {advice}" if advice else f"✅ {rules}" if rules else "·"
    outputs = ", ".join(f"`{one_line(item.name, SHORTEST_LINE)}`" for item in report.outputs[:3]) or "·"
    outputs += f" and {len(report.outputs) - 3} more" if len(report.outputs) > 3 else ""
    state = plain(", ".join(summary.state(report)))[:LINE] or "·"
    cells = [
        plain(report.stack),
        f"{sign} {result}",
        *counts,
        f"🔓 {guards}" if guards else "·",
        policy,
        outputs,
        f"🔒 {state}" if report.held else state,
        f"`{report.fingerprint[:12]}`",
    ]
    return f"| {' | '.join(cells)} |"
