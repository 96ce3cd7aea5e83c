"""The seed of the short soak: another one each day, the same for all processes of a test run."""

from __future__ import annotations

import os
from datetime import UTC, datetime

_VARIABLE = "ATWORK_SOAK_SEED"


def seed() -> int:
    """What ATWORK_SOAK_SEED says, else the date."""
    return int(os.environ.setdefault(_VARIABLE, f"{datetime.now(UTC):%Y%m%d}"))


def header() -> str:
    """The line at the top of a test run; it is there when the soak succeeds, too."""
    return f"soak: seed {seed()}; {_VARIABLE}={seed()} repeats it"
