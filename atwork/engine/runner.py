"""Starts the Pulumi engine; no other module does.

docs/adr/0020-one-way-to-the-engine.md says which part of pulumi.automation is used, and why not all of it.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from atwork.errors import BackendError

_SHOWN = 800
"""Characters of an error that are shown: the last ones, which say what is wrong."""


class EngineFailed(BackendError):
    """A command of the engine failed; `output` is what the engine printed."""

    def __init__(self, words: Sequence[str], output: str) -> None:
        super().__init__(f"pulumi {' '.join(words[:3])}: {output[-_SHOWN:]}")
        self.output = output


def run(
    program: Path, words: Sequence[str], *, folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a short command without events and return its output; `EngineFailed` if its exit code is not 0."""
    done = subprocess.run(
        [str(program), *words, "--non-interactive"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise EngineFailed(words, (done.stderr or done.stdout).strip())
    return done


def start(
    program: Path, words: Sequence[str], *, folder: Path, environment: Mapping[str, str], output: IO[str] | None
) -> subprocess.Popen[bytes]:
    """Start an operation in a process group of its own; its output goes to a file, or to the terminal for None."""
    return subprocess.Popen(
        [str(program), *words, "--non-interactive"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        process_group=0,
    )


def run_in_terminal(
    program: Path, words: Sequence[str], *, folder: Path, environment: AbstractContextManager[dict[str, str]]
) -> int:
    """Run the engine with the terminal of this process, as its user would, and return its exit code.

    The terminal sends Ctrl-C to the engine; other processes send SIGTERM to this process only, which passes it on.
    """
    with environment as variables:
        process = subprocess.Popen([str(program), *words], cwd=folder, env=variables)
        signal.signal(signal.SIGINT, lambda _number, _frame: None)
        signal.signal(signal.SIGTERM, lambda number, _frame: process.send_signal(number))
        return process.wait()
