"""Waiting for what programs in other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_PAUSE_SECONDS = 0.1
_LONGEST_SECONDS = 180.0
"""Much more than a loaded machine needs, so that only a failure takes so long."""

Value = TypeVar("Value")


def wait_for(
    condition: Callable[[], Value], what: Callable[[], object] = lambda: "", *, early: type[Exception] | tuple[()] = ()
) -> Value:
    """Wait until a condition holds and return its value; the assertion that fails otherwise says what is there.

    The condition may raise `early` until then.
    """
    end = time.monotonic() + _LONGEST_SECONDS
    while True:
        try:
            if value := condition():
                return value
        except early:
            if time.monotonic() > end:
                raise
        assert time.monotonic() < end, what()
        time.sleep(_PAUSE_SECONDS)
