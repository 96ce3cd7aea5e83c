"""`atwork service run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    repository: Annotated[Path, typer.Argument(help="Repository of a service.")] = Path(),
    *,
    stage: Annotated[str, typer.Option(help="Last stage: build, test, chart, promote or deploy.")] = "test",
    pull_request: Annotated[int | None, typer.Option(help="Play the build of a pull request with this number.")] = None,
) -> None:
    """Run the pipeline of a repository on this machine, without Jenkins, with the rights of the sandbox."""
    from atwork.pipeline.run import run as play

    raise typer.Exit(play(repository, stage, pull_request))
