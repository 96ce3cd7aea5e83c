"""What a step of bootstrap is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from atwork.environments.bootstrap.google import Google

IS_RIGHT = "is right"
"""What a step says that had nothing to do."""


@dataclass(frozen=True)
class Context:
    """What a step works with."""

    google: Google
    resumed: bool = False
    """Whether the run that was cut off had begun this very step, so that what is taken may be ours."""


@dataclass(frozen=True)
class Step:
    """One thing that must be as it should; doing it twice does nothing the second time."""

    key: str
    """Its name in the journal."""

    title: str
    """What it sees to, for people."""

    commands: tuple[str, ...]
    """The same by hand, with gcloud."""

    ensure: Callable[[Context], str]
    """Look, and make or mend what is not right; returns what was done."""

    asks: bool = False
    """Whether it may ask on the terminal."""
