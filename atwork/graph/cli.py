"""`atwork graph`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from atwork.arguments import Stacks

app = typer.Typer()


@app.command()
def graph(
    stacks: Stacks = None,
    *,
    out: Annotated[Path | None, typer.Option(help="The SVG file; printed where none is named.")] = None,
    changes: Annotated[
        Path | None, typer.Option(help="Folder of `atwork preview --out`: what changes is coloured.")
    ] = None,
) -> None:
    """Draw the topology from the stacks' real resources: those of PULUMI_BACKEND_URL's backend, else of the sandbox."""
    from atwork.graph import commands

    raise typer.Exit(commands.graph(stacks or [], out=out, changes=changes))
