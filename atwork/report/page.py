"""The report as one self-contained HTML page: table, decisions, a collapsible tree with a search."""

from __future__ import annotations

from collections.abc import Sequence

import jinja2
import markupsafe

from atwork.report import summary
from atwork.report.model import StackReport
from atwork.report.sections import sections

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("atwork.report", "."),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


def render(reports: Sequence[StackReport], topology: str = "") -> str:
    """The page. `topology` is a picture of the environments as SVG, which is inserted unescaped."""
    return _ENVIRONMENT.get_template("page.html.jinja").render(
        sections=sections(reports),
        reports=reports,
        verdict=summary.verdict(reports),
        cautions=[decision for report in reports for decision in summary.decisions(report)],
        remarks=summary.remarks(reports),
        topology=markupsafe.Markup(topology),  # noqa: S704 (our own SVG, in which text of a pull request is escaped)
        results=summary.RESULTS,
        signs={**summary.SIGNS, "guard": "!"},
        columns=summary.COLUMNS,
        policy=summary.policy,
        state=summary.state,
        tags=summary.tags,
    )
