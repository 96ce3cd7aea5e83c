"""`atwork service run` and `atwork service image`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def image(
    reference: Annotated[str, typer.Argument(help="Digest of an image, or HOST/PATH@DIGEST.", metavar="DIGEST")],
    *,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Read the attestations of the sandbox.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show who built a released image, from which commit, and who attested it."""
    from atwork.pipeline.image import image as show

    raise typer.Exit(show(reference, sandbox=sandbox, as_json=as_json))


def run(
    repository: Annotated[Path, typer.Argument(help="Repository of a service.")] = Path(),
    *,
    stage: Annotated[str, typer.Option(help="Last stage: build, test, chart, promote or deploy.")] = "test",
    pull_request: Annotated[int | None, typer.Option(help="Play the build of a pull request with this number.")] = None,
) -> None:
    """Run the pipeline of a repository on this machine, without Jenkins, with the rights of the sandbox."""
    from atwork.pipeline.run import run as play

    raise typer.Exit(play(repository, stage, pull_request))
