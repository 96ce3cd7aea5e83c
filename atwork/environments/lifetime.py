"""Expiry dates of ephemeral environments and what follows from them for `reap`: pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from atwork.environments.derive import moment
from infra.stack import StackConfig

WARNINGS = (timedelta(hours=48), timedelta(hours=2))
"""How long before the expiry date its owner is warned; never for a lifetime that is shorter."""

State = Literal["active", "expired", "protected", "newer", "files", "orphan", "unreadable"]
"""`newer`: the deployed end is later than the file's, so that the checkout is outdated. `files`: only the files remain.
`orphan`: a stack without a file."""


@dataclass(frozen=True)
class ReapCandidate:
    """An environment that `reap` has checked, and what it would do."""

    name: str
    state: State
    message: str
    owner: str = ""
    upstream: str = ""
    resources: int = 0
    warning: str = ""
    """Text of the tag for the warning that is due; "" if none is."""


def readable(left: timedelta) -> str:
    """A duration in hours or days, rounded down."""
    hours = abs(left).total_seconds() / 3600
    if hours < 1:
        return f"{int(hours * 60)} min"
    return f"{int(hours)} h" if hours < 72 else f"{int(hours / 24)} days"


def is_expired(config: StackConfig, now: datetime) -> bool:
    """Whether it is an ephemeral environment after its expiry date."""
    end = config.environment.expires_at
    return config.environment.kind == "ephemeral" and end is not None and end <= now


def due_warning(config: StackConfig, now: datetime) -> str:
    """The warning that its owner should have had by now: "2027-01-31T18:00:00Z 48h"; "" where none is due.

    It contains the expiry date, so that the owner of an extended environment is warned again.
    """
    created, end = config.environment.created_at, config.environment.expires_at
    if created is None or end is None:
        return ""
    reached = [span for span in WARNINGS if end - now <= span < end - created]
    return f"{moment(end)} {readable(min(reached)).replace(' ', '')}" if reached and end > now else ""
