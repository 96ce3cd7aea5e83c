"""The commands `atwork preview`, `report`, `up` and `drift`; each returns the exit code."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from atwork.environments.ages import ended
from atwork.preview import markdown, page, places, terminal, words
from atwork.preview.github import GitHub
from atwork.preview.model import StackReport
from atwork.preview.read import Reading
from atwork.preview.run import Watch, previews
from atwork.preview.slack import send
from atwork.sandbox.commands import chosen_of
from atwork.sandbox.home import SandboxError, here
from infra.config import parse, read_file

_MERGED = "merged"
_ANOTHER = 4
"""Exit code where the change is not the approved one."""


def preview(
    stacks: Sequence[str],
    *,
    base: str,
    out: Path | None,
    form: str,
    refresh: bool = False,
    slack: str = "",
    real: bool = False,
) -> int:
    """Preview stacks, all where none is named; print the report, and keep it in a folder where one is named."""
    if real:
        _real()
    console = Console(stderr=form != "terminal", highlight=False)
    reports = made(stacks, console, base=base, refresh=refresh)
    if out is not None:
        keep(reports, out)
    if form == "terminal":
        terminal.show(reports, console if console.is_terminal else Console(highlight=False, width=200))
    else:
        print(as_text(reports, form), end="")
    if slack and words.code(reports):
        send(_needed("SLACK_WEBHOOK_URL"), slack, reports, link=_run())
    return words.code(reports)


def made(stacks: Sequence[str], console: Console, *, base: str, refresh: bool) -> list[StackReport]:
    """The reports, from the backend that the shell names, else from the sandbox."""
    home = here()
    chosen = chosen_of(home, stacks)
    about = {"head": _commit("HEAD"), "base": _commit(base) if base else ""}
    with places.chosen(home, console) as place, _watcher(console) as watch:
        return previews(place, chosen, watch, refresh=refresh, **about)


def report(folder: Path, number: int, expected: Sequence[str]) -> int:
    """Write the comment of a pull request and the statuses of its commit from the reports in a folder."""
    reports = read(folder, expected)
    hub, link = _hub(), _run()
    address = hub.publish(number, reports, author=os.environ.get("ATWORK_BOT", "github-actions[bot]"), link=link)
    head = next((one.head for one in reports if one.head), "")
    if head:
        hub.state(head, reports, link=link)
    print(address)
    return words.code(reports)


def read(folder: Path, expected: Sequence[str]) -> list[StackReport]:
    """The reports in a folder; a stack without one has failed, and is not left out."""
    found: dict[str, StackReport] = {}
    for path in sorted(folder.rglob("report-*.json")):
        try:
            one = StackReport.model_validate_json(path.read_text())
        except ValidationError as error:
            raise SandboxError(f"{path}: not a report of this version: {error.errors()[0]['msg']}") from None
        found[one.stack] = one
    for stack in expected:
        if stack not in found:
            missing = Reading(stack)
            missing.errors.append("there is no report: its preview did not come to an end; see the run")
            found[stack] = missing.report(code=1)
    if not found:
        raise SandboxError(f"{folder}: no report-STACK.json in it; `atwork preview --out {folder}` writes them")
    order = {stack: number for number, stack in enumerate(expected or ("ci", "staging", "production"))}
    return sorted(found.values(), key=lambda one: (order.get(one.stack, len(order)), one.stack))


def up(stack: str, expected: str, *, slack: bool = False) -> int:
    """Update a stack if its change is the one that was approved; `slack` tells how it ended."""
    reports: list[StackReport] = []
    code = _up(stack, expected, reports)
    if slack and (code or any(one.result != "unchanged" for one in reports)):
        ends = {0: "Deployed", _ANOTHER: "Refused, for another change was approved"}
        send(_needed("SLACK_WEBHOOK_URL"), ends.get(code, "Failed to deploy"), reports, link=_run())
    return code


def _up(stack: str, expected: str, reports: list[StackReport]) -> int:
    console = Console(highlight=False)
    home = here()
    chosen_of(home, [stack])
    if ended(parse(stack, read_file(home.checkout / "stacks" / f"Pulumi.{stack}.yaml") or ""), datetime.now(UTC)):
        console.print(
            f"{stack} is a popup whose time is over: it is not updated, and `atwork environment reap` ends it. "
            f"Longer: `atwork environment extend {stack} --ttl 24h`, and merge that."
        )
        return 0
    if expected == _MERGED:
        _real()
        expected = _approved(stack)
    if not re.fullmatch(r"(sha256:)?[0-9a-f]{12,64}", expected):
        raise SandboxError(f"--expect {expected}: give the fingerprint of a report, 12 to 64 hexadecimal digits")
    with places.chosen(home, console) as place:
        with _watcher(console) as watch:
            [now] = previews(place, [stack], watch)
        reports.append(now)
        terminal.show([now], console)
        if now.result == "failed":
            return 1
        if now.pending:
            console.print("An interrupted update is not resolved; run `pulumi refresh` first.")
            return 1
        if not now.fingerprint.startswith(expected.removeprefix("sha256:")):
            console.print(f"Refused: the change is {now.fingerprint[:12]}, and {expected[:12]} was approved.")
            return _ANOTHER
        if now.result == "unchanged":
            return 0
        with place.environment() as environment:
            command = [str(place.engine), "up", "--stack", stack, "--yes", "--skip-preview", "--non-interactive"]
            command += ["--policy-pack", str(place.policies)] if place.policies else []
            return subprocess.run(command, cwd=place.folder, env=environment, check=False).returncode


def _approved(stack: str) -> str:
    """The fingerprint that the report of the pull request showed which HEAD merged."""
    hub = _hub()
    head = hub.merged(_commit("HEAD"))
    found = hub.fingerprint(head, stack) if head else ""
    if not found:
        raise SandboxError(f"HEAD merged no pull request with a report of {stack}; open one, or give its fingerprint")
    return found


def _hub() -> GitHub:
    api = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    return GitHub(_needed("GITHUB_REPOSITORY"), _needed("GITHUB_TOKEN"), api=api)


def _run() -> str:
    """Address of the run that this is, where it is one."""
    if "GITHUB_RUN_ID" not in os.environ:
        return os.environ.get("BUILD_URL", "")
    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    return f"{server}/{_needed('GITHUB_REPOSITORY')}/actions/runs/{os.environ['GITHUB_RUN_ID']}"


def _real() -> None:
    """Refuse the sandbox where the real stacks are meant: its report would look the same and mean nothing."""
    if not places.is_real():
        raise SandboxError("PULUMI_BACKEND_URL is not set; name the backend of the real stacks, such as gs://BUCKET")


def _needed(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise SandboxError(f"{name} is not set; the job that reports gives it")
    return value


def as_text(reports: Sequence[StackReport], form: str) -> str:
    """The reports in one of the forms."""
    if form == "markdown":
        return markdown.render(reports)
    if form == "html":
        return page.render(reports)
    return json.dumps([report.model_dump(mode="json") for report in reports], indent=2) + "\n"


def keep(reports: Sequence[StackReport], out: Path) -> None:
    """Write `report-STACK.json`, `report.md` and `report.html`: redacted, so that they may be artifacts."""
    out.mkdir(parents=True, exist_ok=True)
    for report in reports:
        (out / f"report-{report.stack}.json").write_text(report.model_dump_json(indent=2) + "\n")
    (out / "report.md").write_text(markdown.render(reports))
    (out / "report.html").write_text(page.render(reports))


def _commit(name: str) -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    done = subprocess.run(
        [git, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


@contextmanager
def _watcher(console: Console) -> Generator[Watch]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        tasks = {}

        def watch(stack: str, count: int, name: str) -> None:
            if stack not in tasks:
                tasks[stack] = progress.add_task(stack, total=None)
            progress.update(tasks[stack], description=f"{stack:<12} {count:>4}  {name}")

        yield watch
