"""`atwork up`."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def up(
    stack: Annotated[str, typer.Argument(help="One environment.")],
    *,
    expect: Annotated[str, typer.Option(help="The approved fingerprint, or `merged`: HEAD's pull request's.")],
    slack: Annotated[bool, typer.Option(help="Tell SLACK_WEBHOOK_URL what was done.")] = False,
) -> None:
    """Preview once more and update, if the change is the one that was approved; exit code 4 if it is another."""
    from atwork.deploy import update

    raise typer.Exit(update.up(stack, expect, slack=slack))
