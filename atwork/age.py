"""Durations for people."""

from __future__ import annotations

from datetime import datetime


def age(since: datetime, now: datetime) -> str:
    """The time between two moments in its largest unit, such as `5 min`."""
    seconds = max(0, int((now - since).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
