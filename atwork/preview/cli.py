"""`atwork preview`, `report`, `up` and `drift`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from atwork.arguments import Stacks, words

app = typer.Typer()


class Form(StrEnum):
    """How a report is printed."""

    terminal = "terminal"
    markdown = "markdown"
    html = "html"
    json = "json"


@app.command(name="preview")
def preview_all(
    stacks: Stacks = None,
    *,
    base: Annotated[str, typer.Option(help="Commit that the change is compared with, for the report's head.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder for report-STACK.json, report.md and report.html.")] = None,
    form: Annotated[Form, typer.Option("--format", help="What is printed.")] = Form.terminal,
    real: Annotated[bool, typer.Option(help="Refuse the sandbox.")] = False,
) -> None:
    """Report what would change in every environment, in the backend that PULUMI_BACKEND_URL names, else in the sandbox.

    Exit codes: 0 nothing, 1 an error, 2 changes, 3 a protection or data goes.
    """
    from atwork.preview import commands

    raise typer.Exit(commands.preview(stacks or [], base=base, out=out, form=form.value, real=real))


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="What `atwork preview --out` wrote, of all stacks together.")],
    *,
    pr: Annotated[int, typer.Option(help="Number of the pull request.")],
    stacks: Annotated[str, typer.Option(help="Stacks that must have a report; a missing one is a failed row.")] = "",
) -> None:
    """Write the one comment of a pull request, and the fingerprints as statuses of its commit.

    Reads GITHUB_TOKEN and GITHUB_REPOSITORY; ATWORK_BOT is the login that owns the comment (github-actions[bot]).
    """
    from atwork.preview import commands

    raise typer.Exit(commands.report(folder, pr, words(stacks)))


@app.command()
def up(
    stack: Annotated[str, typer.Argument(help="One environment.")],
    *,
    expect: Annotated[str, typer.Option(help="The approved fingerprint, or `merged`: HEAD's pull request's.")],
    slack: Annotated[bool, typer.Option(help="Tell SLACK_WEBHOOK_URL what was done.")] = False,
) -> None:
    """Preview once more and update, if the change is the one that was approved; exit code 4 if it is another."""
    from atwork.preview import commands

    raise typer.Exit(commands.up(stack, expect, slack=slack))


@app.command()
def drift(
    stacks: Stacks = None,
    *,
    out: Annotated[Path | None, typer.Option(help="Folder for the report.")] = None,
    slack: Annotated[bool, typer.Option(help="Tell SLACK_WEBHOOK_URL where there is any.")] = False,
    real: Annotated[bool, typer.Option(help="Refuse the sandbox.")] = False,
) -> None:
    """Report what changed behind Pulumi's back: a preview with refresh, that writes nothing."""
    from atwork.preview import commands

    title = "Drift" if slack else ""
    raise typer.Exit(
        commands.preview(stacks or [], base="", out=out, form="terminal", refresh=True, slack=title, real=real)
    )
