"""The report as one self-contained HTML page: table, decisions, a collapsible tree with a search."""

from __future__ import annotations

from collections.abc import Sequence

import jinja2
import markupsafe

from atwork.report import words
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
        verdict=words.verdict(reports),
        cautions=[decision for report in reports for decision in words.decisions(report)],
        remarks=words.remarks(reports),
        topology=markupsafe.Markup(topology),  # noqa: S704 (our own SVG, in which text of a pull request is escaped)
        results=words.RESULTS,
        signs={**words.SIGNS, "guard": "!"},
        columns=words.COLUMNS,
        policy=words.policy,
        state=words.state,
        tags=words.tags,
    )
