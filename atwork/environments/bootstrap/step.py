"""A step of the bootstrap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from atwork.environments.bootstrap.google import Google

UNCHANGED = "unchanged"
"""Outcome of a step that had nothing to do."""


@dataclass(frozen=True)
class Context:
    """Arguments of a step."""

    google: Google
    resumed: bool = False
    """Whether the interrupted run had started this step, and may have created what now exists."""


@dataclass(frozen=True)
class Step:
    """One idempotent step."""

    key: str
    """Name in the journal."""

    title: str
    """What it ensures, for people."""

    commands: tuple[str, ...]
    """The same as gcloud commands."""

    ensure: Callable[[Context], str]
    """Check, and create or correct if necessary; returns the outcome."""

    asks: bool = False
    """Whether it may prompt on the terminal."""
