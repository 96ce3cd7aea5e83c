"""`atwork doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def doctor(
    environment: Annotated[str, typer.Argument(help="Environment to check completely.")] = "",
) -> None:
    """List problems of this machine and of the Google Cloud account, and how to fix them."""
    from atwork.checkout import find_checkout
    from atwork.doctor.show import run

    raise typer.Exit(run(find_checkout().root, environment))
