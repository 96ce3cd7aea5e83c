"""The forms of a report of many groups, as files to read: `make golden` rewrites tests/golden/report."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from pytest_regressions.file_regression import FileRegressionFixture
from rich.console import Console
from support.reports import change, deletion, stack_report

from atwork.report import markdown, page, terminal
from atwork.report.model import Held, Policy, StackReport

FOLDER = Path(__file__).parents[1] / "golden" / "report"


@pytest.fixture
def reports() -> list[StackReport]:
    """Three environments: a few groups of the last two are not quiet."""
    result = [stack_report("ci"), stack_report("ci.orders"), stack_report("ci.payments")]
    for environment in ("staging", "production"):
        result.append(stack_report(environment, change(environment, "ingress")))
        for number in range(40):
            stack = f"{environment}.team-{number:02}"
            changes = [change(stack, "web"), change(stack, "worker", "create")] if number in (3, 17) else []
            result.append(stack_report(stack, *changes))
    numbers = {report.stack: number for number, report in enumerate(result)}
    held = (Held(id="1f0c", owner="ada@laptop, pid 7, for 5 min", run="https://run/7"),)
    advice = (Policy(name="labels", resource="web", message="has no owner", mandatory=False),)
    for report in (
        stack_report("staging.team-20", errors=("Program failed: boom",)),
        stack_report("production.team-20", errors=("Program failed: boom",)),
        stack_report("production.team-21", deletion("production.team-21"), change("production.team-21", "web")),
        stack_report("production.team-22", held=held),
        stack_report("production.team-23", policies=advice),
    ):
        result[numbers[report.stack]] = report
    return result


def check(file_regression: FileRegressionFixture, text: str, name: str) -> None:
    path = FOLDER / name
    file_regression.check(text, extension=path.suffix, fullpath=path)


def test_the_comment(reports: list[StackReport], file_regression: FileRegressionFixture) -> None:
    check(file_regression, markdown.render(reports, link="https://run/1"), "comment.md")


def test_a_comment_with_a_lower_limit(reports: list[StackReport], file_regression: FileRegressionFixture) -> None:
    check(file_regression, markdown.render(reports, link="https://run/1", limit=3000), "comment-limited.md")


def test_the_terminal(reports: list[StackReport], file_regression: FileRegressionFixture) -> None:
    written = io.StringIO()
    terminal.show(reports, Console(file=written, width=200, highlight=False))
    text = "".join(f"{line.rstrip()}\n" for line in written.getvalue().splitlines())
    check(file_regression, text, "terminal.txt")


def test_the_page_without_style_and_script(reports: list[StackReport], file_regression: FileRegressionFixture) -> None:
    text = page.render(reports)
    check(file_regression, text[text.index("</style>") : text.index("<script>")], "page.html")
