"""The approved fingerprints of a pull request: one check run of its commit for each environment.

Its text has a line for each stack, the environment's own and those of its groups. A status for each stack would need as
many requests as there are stacks, and GitHub accepts 80 in a minute that create something. Only the App that created a
check run can edit it. https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api,
https://docs.github.com/en/rest/checks/runs
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atwork.report import summary
from atwork.report.model import StackReport

if TYPE_CHECKING:
    from github.CheckRun import CheckRun
    from github.Commit import Commit
    from github.Repository import Repository

TEXT_BYTES = 65_000
"""Of one check run; GitHub refuses more than 65,535."""

_REFUSED = "-"
_LINE = re.compile(rf"^- `(?P<stack>[^`]+)` `(?P<fingerprint>[0-9a-f]{{64}}|{_REFUSED})`", re.MULTILINE)


@dataclass(frozen=True)
class EnvironmentCheck:
    """The check run of an environment, and the further ones of an environment whose lines do not fit in one."""

    name: str
    title: str
    texts: tuple[str, ...]
    passing: bool

    @classmethod
    def of(cls, name: str, reports: Sequence[StackReport], *, decided: bool) -> EnvironmentCheck:
        """The check of an environment's stacks; a stack that does not pass has no fingerprint in it."""
        lines = [_line(report, decided=decided) for report in reports]
        passing = summary.is_passing(reports, decided=decided)
        return cls(name, f"{summary.totals(reports)}; {summary.verdict(reports)}", tuple(_pages(lines)), passing)

    def create(self, repository: Repository, commit: str, link: str) -> None:
        """Write it; each call adds a new run, of which GitHub shows the newest."""
        from github.GithubObject import NotSet  # the client is slow to import

        for number, text in enumerate(self.texts):
            repository.create_check_run(
                page_name(self.name, number),
                commit,
                status="completed",
                conclusion="success" if self.passing else "failure",
                output={"title": self.title[:255], "summary": "The fingerprints that may be deployed.", "text": text},
                details_url=link or NotSet,
            )


def page_name(name: str, number: int) -> str:
    """The name of a check run: that of the first page is the environment's."""
    return name if number == 0 else f"{name}/{number + 1}"


def fingerprints(commit: Commit, name: str, author: str) -> dict[str, str]:
    """The fingerprints of the stacks that passed in the newest check of an environment, by stack.

    A check of fewer pages leaves the last pages of an earlier one. It has all stacks that those had, because the files
    of the commit are the same, so that the first line about a stack counts.
    """
    lines: dict[str, str] = {}
    number = 0
    while True:
        runs = commit.get_check_runs(check_name=page_name(name, number), filter="latest")
        newest = max((run for run in runs if _is_by(run, author)), key=lambda run: run.id, default=None)
        if newest is None:
            return {stack: fingerprint for stack, fingerprint in lines.items() if fingerprint != _REFUSED}
        for line in _LINE.finditer(newest.output.text or ""):
            lines.setdefault(line["stack"], line["fingerprint"])
        number += 1


def _is_by(run: CheckRun, author: str) -> bool:
    """Whether the App with this login created a check run."""
    return f"{run.app.slug}[bot]" == author


def _line(report: StackReport, *, decided: bool) -> str:
    shown = report.fingerprint if summary.is_passing([report], decided=decided) else _REFUSED
    return f"- `{report.stack}` `{shown}` {summary.RESULTS[report.result][1]}\n"


def _pages(lines: Sequence[str]) -> Iterator[str]:
    page = ""
    for line in lines:
        if page and len(page) + len(line) > TEXT_BYTES:
            yield page
            page = ""
        page += line
    yield page
