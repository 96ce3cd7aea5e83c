"""What several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

Stacks = Annotated[list[str] | None, typer.Argument(help="Environments; all where none is named.")]


def words(text: str) -> tuple[str, ...]:
    """The words between commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())
