"""The report as one page of HTML that needs nothing else: table, decisions, a folded tree with a search."""

from __future__ import annotations

from collections.abc import Sequence

import jinja2

from atwork.preview import words
from atwork.preview.model import StackReport

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("atwork.preview", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)  # fmt: skip


def render(reports: Sequence[StackReport]) -> str:
    """The page."""
    cautions = [one for report in reports for one in words.decisions(report)]
    return _ENVIRONMENT.get_template("page.html.jinja").render(
        groups=words.groups(reports), reports=reports, verdict=words.verdict(reports), cautions=cautions,
        results=words.RESULTS, signs=words.SIGNS, columns=words.COLUMNS,
    )  # fmt: skip
