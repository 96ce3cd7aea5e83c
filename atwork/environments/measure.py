"""What `make bench` measures of environments."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from pathlib import Path

from atwork.checkout import Checkout
from atwork.environments import derive

Timed = Callable[[Path, list[str]], float]
"""Seconds of a command in a folder; it must succeed."""

Row = tuple[str, str, str]

_OTHERS = 199
_NEW = ["--owner", "bench", "--folder", "1", "--billing-account", "01AB23-CD45EF-678901", "--no-preview"]


def rows(folder: Path, timed: Timed) -> list[Row]:
    """Measure a new ephemeral environment next to others that are up, and the search for free ranges among many."""
    made = timed(folder, ["environment", "new", "bench", *_NEW])
    upstream = Checkout(folder).upstream("bench") or ""
    timed(folder, ["sandbox", "up", upstream])  # which grants the new environment its access
    up = timed(folder, ["sandbox", "up", "bench"])
    return [
        ("environment new, without its preview", f"{made:.1f} s", "<= 3 s"),
        ("a new ephemeral environment up in the sandbox", f"{up:.1f} s", "<= 30 s"),
        ("ranges for the 200th environment", f"{_allocation():.3f} s", "<= 0.2 s"),
    ]


def _allocation() -> float:
    taken: list[ipaddress.IPv4Network] = []
    for _ in range(_OTHERS):
        taken += [ipaddress.IPv4Network(one) for one in derive.ranges("ephemeral", taken).values()]
    started = time.perf_counter()
    derive.ranges("ephemeral", taken)
    return time.perf_counter() - started
