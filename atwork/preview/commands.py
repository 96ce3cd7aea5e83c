"""The command `atwork preview`; returns the exit code."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from atwork.preview import markdown, page, places, terminal, words
from atwork.preview.model import StackReport
from atwork.preview.run import Watch, previews
from atwork.sandbox.commands import chosen_of
from atwork.sandbox.home import here


def preview(stacks: Sequence[str], *, base: str, out: Path | None, form: str, refresh: bool = False) -> int:
    """Preview stacks, all where none is named; print the report, and keep it in a folder where one is named."""
    console = Console(stderr=form != "terminal", highlight=False)
    reports = made(stacks, console, base=base, refresh=refresh)
    if out is not None:
        keep(reports, out)
    if form == "terminal":
        terminal.show(reports, console if console.is_terminal else Console(highlight=False, width=200))
    else:
        print(as_text(reports, form), end="")
    return words.code(reports)


def made(stacks: Sequence[str], console: Console, *, base: str, refresh: bool) -> list[StackReport]:
    """The reports, from the backend that the shell names, else from the sandbox."""
    home = here()
    chosen = chosen_of(home, stacks)
    opened = places.backend(home, console) if places.is_real() else places.sandbox(home, console)
    about = {"head": _commit("HEAD"), "base": _commit(base) if base else ""}
    with opened as place, _watcher(console) as watch:
        return previews(place, chosen, watch, refresh=refresh, **about)


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
