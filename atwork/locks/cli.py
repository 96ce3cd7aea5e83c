"""`atwork unlock`."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def unlock(
    stack: Annotated[str, typer.Argument(help="One environment.")],
    *,
    run: Annotated[str, typer.Option(help="Address of the run in GitHub that took the lock; GitHub is asked.")] = "",
    ended: Annotated[str, typer.Option(help="The lock's id as it is shown: you looked, and its run has ended.")] = "",
) -> None:
    """Show who holds a stack, and take the lock away if that run has ended.

    Asks this machine or, with GITHUB_TOKEN, GitHub; what lives is never unlocked. Exit codes: 0 free, 1 still locked.
    """
    from atwork.locks import commands

    raise typer.Exit(commands.unlock(stack, run=run, ended=ended))
