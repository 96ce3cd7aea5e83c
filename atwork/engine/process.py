"""Whether a process of this machine lives."""

from __future__ import annotations

import os
import time
from datetime import datetime
from pathlib import Path

_ENDING_TRIES, _ENDING_SECONDS = 100, 0.05
_BOOT = Path("/proc/stat")


def alive(pid: int, since: datetime | None = None) -> bool:
    """Whether a process lives; one that was killed gets a moment to end, for its last threads may still write.

    `since` is a moment at which it lived: a process that was started later only has the same number.
    """
    for _ in range(_ENDING_TRIES):
        if _answers(pid) or not _threads(pid):
            break
        time.sleep(_ENDING_SECONDS)
    if not _answers(pid):
        return False
    began = _started(pid)
    # The kernel counts in hundredths of a second from a boot that it knows to the second.
    return since is None or began is None or began <= since.timestamp() + 2


def born(pid: int) -> int | None:
    """The kernel's ticks at which a process was started; None for one that is gone or waits to be collected."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in ("Z", "X") else int(fields[19])
    except (OSError, ValueError, IndexError):
        return None


def _threads(pid: int) -> int:
    """Threads beside the first one."""
    try:
        return len(list(Path(f"/proc/{pid}/task").iterdir())) - 1
    except OSError:
        return 0


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    try:
        # A killed process that nobody has collected yet still has its number.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True


def _started(pid: int) -> float | None:
    """When a process was started, in seconds of the epoch; None where the system does not say (no /proc)."""
    ticks = born(pid)
    try:
        boot = next(int(line.split()[1]) for line in _BOOT.read_text().splitlines() if line.startswith("btime "))
    except (OSError, StopIteration, ValueError, IndexError):
        return None
    return None if ticks is None else boot + ticks / os.sysconf("SC_CLK_TCK")
