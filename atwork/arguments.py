"""What several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

Stacks = Annotated[
    list[str] | None,
    typer.Argument(help="An environment with its groups of services, or ENVIRONMENT.GROUP; all by default."),
]


def words(text: str) -> tuple[str, ...]:
    """The words between commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())
