"""Measurements of new environments."""

from __future__ import annotations

import ipaddress
import time
from pathlib import Path

from atwork.bench.commands import time_success
from atwork.checkout import Checkout
from atwork.environments import derive

Row = tuple[str, str, str]
"""What was measured, the measurement, and the target."""

_OTHER_ENVIRONMENTS = 199
_NEW = ["--owner", "bench", "--folder", "1", "--billing-account", "01AB23-CD45EF-678901", "--no-preview"]


def rows(folder: Path) -> list[Row]:
    """Create an ephemeral environment and bring it up next to others; find its ranges among many."""
    new = time_success(folder, ["environment", "new", "bench", *_NEW])
    upstream = Checkout(folder).upstream("bench") or ""
    time_success(folder, ["sandbox", "up", upstream])  # which grants the new environment its access
    up = time_success(folder, ["sandbox", "up", "bench"])
    return [
        ("environment new, without its preview", f"{new:.1f} s", "<= 3 s"),
        ("up of a new ephemeral environment", f"{up:.1f} s", "<= 30 s"),
        ("ranges for the 200th environment", f"{_allocation():.3f} s", "<= 0.2 s"),
    ]


def _allocation() -> float:
    taken: list[ipaddress.IPv4Network] = []
    for _ in range(_OTHER_ENVIRONMENTS):
        taken += [ipaddress.IPv4Network(network) for network in derive.ranges("ephemeral", taken).values()]
    started = time.perf_counter()
    derive.ranges("ephemeral", taken)
    return time.perf_counter() - started
