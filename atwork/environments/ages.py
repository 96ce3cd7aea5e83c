"""How old ephemeral environments are and what follows: pure functions from moments to what `reap` does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from atwork.environments.derive import moment
from infra.stack import StackConfig

WARNINGS = (timedelta(hours=48), timedelta(hours=2))
"""How long before its end the owner of an ephemeral environment is told; never for one whose whole life is shorter."""

State = Literal["lives", "over", "protected", "newer", "files", "orphan", "unreadable"]
"""`newer`: the deployed end is later than the file's, so that the checkout is an old one. `files`: only they are left.
`orphan`: a stack without a file."""


@dataclass(frozen=True)
class ReapCandidate:
    """What `reap` found of one environment, and what it would do."""

    name: str
    state: State
    told: str
    owner: str = ""
    upstream: str = ""
    resources: int = 0
    warning: str = ""
    """The tag's text of the warning that is due; "" where none is."""


def about(left: timedelta) -> str:
    """A span in words that a person reads at a glance."""
    hours = abs(left).total_seconds() / 3600
    if hours < 1:
        return f"{int(hours * 60)} min"
    return f"{int(hours)} h" if hours < 72 else f"{int(hours / 24)} days"


def ended(config: StackConfig, now: datetime) -> bool:
    """Whether it is an ephemeral environment whose end is over."""
    end = config.environment.expires_at
    return config.environment.kind == "ephemeral" and end is not None and end <= now


def due(config: StackConfig, now: datetime) -> str:
    """The warning that its owner should have had by now: "2027-01-31T18:00:00Z 48h"; "" where none is due.

    It names the end, so that an extended ephemeral environment is warned anew.
    """
    created, end = config.environment.created_at, config.environment.expires_at
    if created is None or end is None:
        return ""
    reached = [span for span in WARNINGS if end - now <= span < end - created]
    return f"{moment(end)} {about(min(reached)).replace(' ', '')}" if reached and end > now else ""
