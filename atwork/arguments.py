"""What several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

Stacks = Annotated[
    list[str] | None,
    typer.Argument(help="An environment with its groups of services, or ENVIRONMENT.GROUP; all by default."),
]

Groups = Annotated[
    bool, typer.Option("--groups/--no-groups", help="The name of an environment stands for its groups, too.")
]


def words(text: str) -> tuple[str, ...]:
    """The words between commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())
