"""The report as the comment on a pull request.

A comment is limited. What matters most is kept: failures, what needs a decision, then changes. The comment says how
much is left out, and where it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from atwork.report import groups, summary
from atwork.report.markdown_details import details_size, details_within
from atwork.report.markdown_statements import statements, statements_within
from atwork.report.markdown_table import folded_lines, folded_within, table, table_within
from atwork.report.markdown_text import LINE, one_line, plain
from atwork.report.model import StackReport
from atwork.report.sections import sections
from atwork.report.text import shares, size

LIMIT = 60_000
"""Maximum number of characters; GitHub refuses 65,536."""

MARKER = "<!-- atwork:preview -->"
"""Identifies the comment, so that a later run can edit it."""

_CAUTION = ["", "> [!CAUTION]"]
_DECISION, _REMARK = "> - ", "- "
_NOTICE = 400
"""Maximum length of the sentence about what is left out, without the URL."""


def render(reports: Sequence[StackReport], *, link: str = "", limit: int = LIMIT, notes: Sequence[str] = ()) -> str:
    """The comment's text; `notes` are lines of Markdown below the table."""
    reports = groups.ordered(reports)
    start, end = _start(reports, link), ["", *notes] if notes else []
    space = limit - _NOTICE - len(link) - size(start) - size(end)
    content = sections(reports)
    body, left_out = _body(reports, space, details_size(content, limit))
    details, shortened = details_within(content, space - size(body))
    left_out += [f"details of {summary.stacks(shortened)}"] if shortened else []
    notice = [_notice(left_out, link)] if left_out else []
    return "\n".join([*start, *notice, *body, *end]) + "\n" + "".join(details)


def _start(reports: Sequence[StackReport], link: str) -> list[str]:
    sign = {0: "⬜", 1: "❌", 2: "🟨", 3: "🟥"}[summary.code(reports)]
    head, base = next(((report.head, report.base) for report in reports if report.head), ("", ""))
    parts = [f"`{head[:12]}`" + (f" on `{base[:12]}`" if base else "")] if head else []
    created_at = max((report.created_at for report in reports), default="")
    parts += [f"{created_at[:16].replace('T', ' ')} UTC"] if created_at else []
    parts += [f"[full report]({link})"] if link else []
    many = [f"\n{summary.totals(reports)}"] if len(reports) > groups.MANY else []
    return [MARKER, f"## {sign} Preview: {plain(summary.verdict(reports))}", " · ".join(parts), *many]


def _body(reports: Sequence[StackReport], space: int, details: int) -> tuple[list[str], list[str]]:
    """Table, groups without changes, decisions and remarks, and what of them is left out.

    `details` is the number of characters of all details, which share the space.
    """
    shown, folded = groups.fold(reports)
    unclassified = [f"- {one_line(sentence, LINE)}" for sentence in summary.unclassified(reports)]
    needs = (
        size(table(shown)),
        size(folded_lines(folded)),
        size(statements(shown, summary.decisions, _DECISION)),
        size(statements(shown, summary.remarks_on, _REMARK)),
        details,
    )
    of_table, of_groups, of_decisions, of_remarks, _ = shares(needs, space - size(unclassified) - size(_CAUTION))
    rows, hidden_rows = table_within(shown, of_table)
    lines, hidden_environments = folded_within(folded, of_groups)
    decisions, hidden_decisions = statements_within(shown, summary.decisions, _DECISION, of_decisions)
    remarks, hidden_remarks = statements_within(shown, summary.remarks_on, _REMARK, of_remarks)
    remarks += unclassified
    body = ["", *rows, *lines]
    body += [*_CAUTION, *decisions] if decisions else []
    body += ["", *remarks] if remarks else []
    hidden = {
        "rows of the table": hidden_rows,
        "environments whose groups are unchanged": hidden_environments,
        "sentences about decisions": hidden_decisions,
        "remarks": hidden_remarks,
    }
    return body, [f"{count:,} {words}" for words, count in hidden.items() if count]


def _notice(left_out: Sequence[str], link: str) -> str:
    """What is left out, and where it is."""
    run = f"[the run]({link})" if link else "the run"
    return f"\nLeft out, because a comment is limited: {', '.join(left_out)}. `report.html` of {run} shows them."
