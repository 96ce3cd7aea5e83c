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
    out: Annotated[Path | None, typer.Option(help="SVG file to write; without it, the picture is printed.")] = None,
    changes: Annotated[
        Path | None, typer.Option(help="Folder of `atwork preview --out`, to show changes in color.")
    ] = None,
) -> None:
    """Draw the topology of stacks from their state: in the backend of PULUMI_BACKEND_URL, else in the sandbox."""
    from atwork.graph import commands

    raise typer.Exit(commands.graph(stacks or [], out=out, changes=changes))
