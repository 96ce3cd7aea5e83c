"""`kill -9` of a command and of the processes that it started: an engine is in another process group."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

import psutil

from atwork.sandbox.faults.model import Effect, Fault, Operation
from atwork.sandbox.faults.store import FaultStore
from atwork.sandbox.home import Home

_FOR_EVER = 3600.0
"""Seconds that a call hangs: longer than any test on any machine."""


def kill_tree(child: subprocess.Popen[Any]) -> None:
    """Kill the command first, then the processes that it started."""
    with suppress(psutil.NoSuchProcess):
        top = psutil.Process(child.pid)
        for process in [top, *top.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def kill_at(child: subprocess.Popen[Any], moment: Callable[[], bool], printed: IO[str]) -> None:
    """Wait for a moment, at which something has to hold the command, then kill all of it."""
    try:
        while not moment():
            if child.poll() is not None:
                printed.seek(0)
                raise AssertionError(f"it ended first, with {child.returncode}:\n{printed.read()}")
            time.sleep(0.005)
    finally:
        kill_tree(child)
        child.wait()


def kill_in_call(
    home: Home,
    words: list[str],
    stack: str,
    operation: Operation,
    *,
    also: Callable[[], bool] = lambda: True,
    **which: Any,
) -> None:
    """Start `atwork …` in a checkout and kill all of it while one of its calls hangs, and `also` holds.

    The call never ends by itself, so that the command cannot be through before. `which` narrows the calls down, as in
    a `Fault`.
    """
    faults = FaultStore(home.faults)
    faults.add(Fault(effect=Effect.hang, operation=operation, stack=stack, seconds=_FOR_EVER, **which))
    with (home.checkout / "killed.log").open("w+") as printed:
        child = subprocess.Popen(
            [sys.executable, "-c", "from atwork.cli import main; main()", *words],
            cwd=home.checkout,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        kill_at(child, lambda: any(fault.hits for fault in faults.all()) and also(), printed)
    faults.clear()
