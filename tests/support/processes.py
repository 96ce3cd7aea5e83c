"""`kill -9` of a command with all that it started: an engine is in a process group of its own."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import Any

import psutil


def kill_tree(child: subprocess.Popen[Any]) -> None:
    """Kill the command first, then what it had started."""
    with suppress(psutil.NoSuchProcess):
        top = psutil.Process(child.pid)
        for one in [top, *top.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
