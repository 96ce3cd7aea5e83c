"""The report as one self-contained HTML page: table, decisions, a collapsible tree, pages and a search.

Without its script, the page shows the first rows and sections and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
import markupsafe

from atwork.report import groups, summary
from atwork.report.model import StackReport
from atwork.report.sections import ReportSection, sections
from atwork.report.statements import merged
from atwork.report.text import listed
from infra.stack_name import StackName

_ROWS, _SECTIONS, _LIST = 25, 20, 10
"""Numbers of table rows and sections on one page, and of sentences before the others are behind a click."""
_MAX_SIZE = 16_000_000
"""Number of characters of all details; a section beyond it is only named."""

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("atwork.report", "."),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
_GLOBALS: dict[str, Any] = {
    "columns": summary.COLUMNS,
    "list_limit": _LIST,
    "listed": listed,
    "policy": summary.policy,
    "results": summary.RESULTS,
    "row_limit": _ROWS,
    "section_limit": _SECTIONS,
    "signs": {**summary.SIGNS, "guard": "!"},
    "state": summary.state,
    "tags": summary.tags,
}
_ENVIRONMENT.globals.update(_GLOBALS)


@dataclass
class TypeCount:
    """The changes of one type in an environment."""

    count: int = 0
    dangerous: bool = False


def render(reports: Sequence[StackReport], topology: str = "") -> str:
    """The page. `topology` is a picture of the environments as SVG, which is inserted unescaped."""
    reports = groups.ordered(reports)
    shown, folded = groups.fold(reports)
    parts: Any = _ENVIRONMENT.get_template("page_section.html.jinja").module
    return _ENVIRONMENT.get_template("page.html.jinja").render(
        rows=[parts.row(report) for report in shown],
        blocks=list(_blocks(sections(reports), parts)),
        verdict=summary.verdict(reports),
        origin=list(_origin(reports)),
        folded=folded,
        cautions=_cautions(shown),
        remarks=summary.remarks(reports),
        topology=markupsafe.Markup(topology),  # noqa: S704 (our own SVG, in which text of a pull request is escaped)
        environments=_environments(reports),
    )


def _origin(reports: Sequence[StackReport]) -> Iterator[str]:
    """The commits, the time and the number of stacks."""
    first = reports[0] if reports else None
    if first and first.head:
        yield first.head[:12] + (f" on {first.base[:12]}" if first.base else "")
    if first and first.created_at:
        yield f"{first.created_at[:16].replace('T', ' ')} UTC"
    yield summary.totals(reports)


def _blocks(content: Sequence[ReportSection], parts: Any) -> Iterator[str]:
    """The sections as HTML."""
    space = _MAX_SIZE
    for section in content:
        names = listed(section.stacks, _LIST)
        block = parts.section(section, names) if space > 0 else ""
        space -= len(block)
        yield block if space > 0 else parts.brief(section, names)


def _cautions(reports: Sequence[StackReport]) -> list[str]:
    """What needs a decision; of many sentences, equal ones are one."""
    cautions = [decision for report in reports for decision in summary.decisions(report)]
    if len(cautions) <= _LIST:
        return cautions
    return [f"{item.names}{item.text}" for item in merged(reports, summary.decisions)]


def _environments(reports: Sequence[StackReport]) -> dict[str, dict[str, TypeCount]]:
    """The changes of all stacks of each environment, by type."""
    environments: dict[str, dict[str, TypeCount]] = {}
    for report in reports:
        parts = environments.setdefault(StackName.parse(report.stack).environment, {})
        for change in sorted(report.changes, key=lambda change: change.type):
            part = parts.setdefault(change.type, TypeCount())
            part.count += 1
            part.dangerous |= change.dangerous
    return environments
