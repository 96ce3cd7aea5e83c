"""`atwork preview`, `report` and `drift`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from atwork.arguments import Groups, Stacks, words
from atwork.engine.choice import prepare_programs

app = typer.Typer()

All = Annotated[bool, typer.Option("--all", help="All environments, as where none is named.")]


class Form(StrEnum):
    """How a report is printed."""

    terminal = "terminal"
    markdown = "markdown"
    html = "html"
    json = "json"


class ValueDisplay(StrEnum):
    """How much of each value to show."""

    full = "full"
    paths = "paths"
    none = "none"


@app.command(name="preview")
def preview_all(
    stacks: Stacks = None,
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Preview the stacks that the change since --base cannot reach, too.")
    ] = False,
    base: Annotated[
        str, typer.Option(help="Commit that the change is compared with: only stacks that it can reach are previewed.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Folder for report-STACK.json, report.md and report.html.")] = None,
    form: Annotated[Form, typer.Option("--format", help="What is printed.")] = Form.terminal,
    values: Annotated[
        ValueDisplay, typer.Option(help="How much of each value to show; `none` for public places.")
    ] = ValueDisplay.full,
    real: Annotated[bool, typer.Option(help="Refuse the sandbox.")] = False,
    groups: Groups = True,
) -> None:
    """Report what would change in every environment, in the backend that PULUMI_BACKEND_URL names, else in the sandbox.

    Exit codes: 0 nothing, 1 an error, 2 changes, 3 a protection or data goes.
    """
    prepare_programs()
    from atwork.preview import commands

    raise typer.Exit(
        commands.preview(
            stacks or [],
            base=base,
            out=out,
            form=form.value,
            values=values.value,
            real=real,
            every=every,
            groups=groups,
        )
    )


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="What `atwork preview --out` wrote, of all stacks together.")],
    *,
    pr: Annotated[int, typer.Option(help="Number of the pull request.")],
    stacks: Annotated[str, typer.Option(help="Stacks that must have a report; a missing one is a failed row.")] = "",
    head: Annotated[str, typer.Option(help="The commit that all reports must be of.")] = "",
    before: Annotated[str, typer.Option(help="The commit that was the head before it.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="Folder for report.html, report.md and JSON of all stacks together.")
    ] = None,
) -> None:
    """Write the one comment of a pull request, and the fingerprints as checks of its commit.

    Reads GITHUB_TOKEN and GITHUB_REPOSITORY; ATWORK_BOT is the login that owns the comment (github-actions[bot]),
    ATWORK_APPROVERS the logins whose label lets dangers pass (else maintainers'). Exit codes as `preview`; 2 where
    a label lets them pass.
    """
    from atwork.preview import commands

    raise typer.Exit(commands.report(folder, pr, words(stacks), head=head, before=before, out=out))


@app.command()
def drift(
    stacks: Stacks = None,
    *,
    every: All = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the report.")] = None,
    slack: Annotated[bool, typer.Option(help="Tell SLACK_WEBHOOK_URL where there is any.")] = False,
    real: Annotated[bool, typer.Option(help="Refuse the sandbox.")] = False,
    groups: Groups = True,
) -> None:
    """Report what changed behind Pulumi's back: a preview with refresh, that writes nothing."""
    prepare_programs()
    from atwork.preview import commands

    title = "Drift" if slack else ""
    raise typer.Exit(
        commands.preview(
            _named(stacks, every=every),
            base="",
            out=out,
            form="terminal",
            refresh=True,
            slack=title,
            real=real,
            groups=groups,
        )
    )


def _named(stacks: list[str] | None, *, every: bool) -> list[str]:
    if every and stacks:
        raise typer.BadParameter("name stacks or say --all", param_hint="--all")
    return stacks or []
