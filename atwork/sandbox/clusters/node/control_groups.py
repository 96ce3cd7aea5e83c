"""The control groups of a node, which outlive its processes: who stops a node, or starts it again, removes them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from atwork.errors import SandboxError

_ROOT = Path("/sys/fs/cgroup")
_SECONDS = 10.0
"""Longer than the kernel needs to end the processes of a group."""


def problem() -> str:
    """Why groups cannot be created, with the fix; empty if they can."""
    probe = f"atwork-probe-{os.getpid()}"
    try:
        hierarchies = _hierarchies()
        if not hierarchies:
            return f"{_ROOT} has no control groups; mount them there"
        for hierarchy in hierarchies:
            (hierarchy / probe).mkdir()
            (hierarchy / probe).rmdir()
    except OSError as error:
        return f"control groups cannot be created ({error}); remount {_ROOT} with write access"
    return ""


def create(name: str) -> None:
    """Create the group below which the kubelet creates those of pods."""
    for hierarchy in _hierarchies():
        (hierarchy / name).mkdir(exist_ok=True)


def remove(name: str) -> None:
    """Remove a group with all groups below it; their processes must have been killed."""
    end = time.monotonic() + _SECONDS
    while left := [group for hierarchy in _hierarchies() for group in _below(hierarchy / name) if not _removed(group)]:
        if time.monotonic() > end:
            raise SandboxError(f"{left[0]}: a process in this control group does not end; end it and try again")
        time.sleep(0.05)


def _hierarchies() -> list[Path]:
    """The one of version 2, or one for each controller."""
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT]
    return [path for path in _ROOT.glob("*") if (path / "cgroup.procs").exists() and not path.is_symlink()]


def _below(group: Path) -> list[Path]:
    """The group and those below it, the deepest first."""
    return [Path(folder) for folder, _, _ in os.walk(group, topdown=False)]


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
