"""`atwork up`."""

from __future__ import annotations

from typing import Annotated

import typer

from atwork.arguments import Groups

app = typer.Typer()


@app.command()
def up(
    stacks: Annotated[list[str], typer.Argument(help="Environments, or ENVIRONMENT.GROUP.")],
    *,
    expect: Annotated[str, typer.Option(help="The approved fingerprint, or `merged`: HEAD's pull request's.")],
    tip: Annotated[
        str,
        typer.Option(help="Newest commit of the main branch: stacks that it reaches are left to its run."),
    ] = "",
    since: Annotated[
        str,
        typer.Option(help="With `merged`: the pull requests of all commits after this one, up to HEAD."),
    ] = "",
    slack: Annotated[bool, typer.Option(help="Tell SLACK_WEBHOOK_URL what was done.")] = False,
    groups: Groups = True,
) -> None:
    """Preview once more and update, if the change is the one that was approved; exit code 4 if it is another."""
    from atwork.deploy import update

    raise typer.Exit(update.up(stacks, expect, since=since, tip=tip, slack=slack, groups=groups))
