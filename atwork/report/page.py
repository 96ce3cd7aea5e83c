"""The report as one page of HTML that needs nothing else: table, decisions, a folded tree with a search."""

from __future__ import annotations

from collections.abc import Sequence

import jinja2
import markupsafe

from atwork.report import words
from atwork.report.model import StackReport
from atwork.report.sections import sections

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("atwork.report", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)  # fmt: skip


def render(reports: Sequence[StackReport], topology: str = "") -> str:
    """The page. `topology` is a drawing of the environments as SVG, made here and put in as it is."""
    return _ENVIRONMENT.get_template("page.html.jinja").render(
        sections=sections(reports), reports=reports, verdict=words.verdict(reports),
        cautions=[one for report in reports for one in words.decisions(report)], remarks=words.remarks(reports),
        topology=markupsafe.Markup(topology),  # noqa: S704 (no word of a pull request is in it but as escaped text)
        results=words.RESULTS, signs={**words.SIGNS, "guard": "!"}, columns=words.COLUMNS,
        policy=words.policy, state=words.state, tags=words.tags,
    )  # fmt: skip
