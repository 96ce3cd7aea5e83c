"""`atwork doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def doctor(
    environment: Annotated[str, typer.Argument(help="One environment, looked at wholly.")] = "",
) -> None:
    """Say what is missing on this machine and in this account, each with its fix."""
    from atwork.checkout import find_checkout
    from atwork.doctor.show import run

    raise typer.Exit(run(find_checkout().root, environment))
