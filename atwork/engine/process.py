"""Whether a process of this machine is alive."""

from __future__ import annotations

import time
from datetime import datetime

import psutil

_ENDING_TRIES, _ENDING_SECONDS = 100, 0.05
_ENDED = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
_CLOCK_SECONDS = 2.0
"""Tolerance for start times: the kernel knows its boot time to the second."""


def alive(pid: int, since: datetime | None = None) -> bool:
    """Whether a process is alive; waits up to 5 seconds for a killed one whose last threads may still write.

    `since` is a time at which the process was alive: one that started later only reuses its number.
    """
    try:
        process = psutil.Process(pid)
        for _ in range(_ENDING_TRIES):
            if process.status() not in _ENDED or process.num_threads() <= 1:
                break
            time.sleep(_ENDING_SECONDS)
        if process.status() in _ENDED:
            return False
        return since is None or process.create_time() <= since.timestamp() + _CLOCK_SECONDS
    except psutil.AccessDenied:
        return True
    except psutil.NoSuchProcess:
        return False


def born(pid: int) -> float | None:
    """Seconds from the boot to the start of a process, whatever the clock does since; None if it has ended."""
    try:
        process = psutil.Process(pid)
        return None if process.status() in _ENDED else process.create_time() - psutil.boot_time()
    except psutil.Error:
        return None


def is_same(pid: int, since_boot: float) -> bool:
    """Whether a process is alive and started at that time (`born`)."""
    started = born(pid)
    return started is not None and abs(started - since_boot) < _CLOCK_SECONDS
