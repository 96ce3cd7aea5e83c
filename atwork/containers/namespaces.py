"""Linux namespaces in which containers and BuildKit run, and with which all their processes end.

A killed process cannot clean up, so the kernel does: when the first process of a PID namespace ends, the kernel kills
the others; mounts and network interfaces end with their namespaces. Control groups would remain, so none are created,
except by whoever asks for them and removes them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atwork.containers.errors import ContainerError

_INIT = Path(__file__).with_name("init.py")


@dataclass(frozen=True)
class Namespaces:
    """Own PIDs and mounts, and an own network with loopback alone, or the machine's network."""

    pid: int
    """The first process, as the machine numbers it."""
    own_network: bool

    def command(self, words: Sequence[str]) -> list[str]:
        """The command that runs `words` inside."""
        network = ["--net"] if self.own_network else []
        return ["nsenter", f"--target={self.pid}", "--pid", "--mount", *network, "--", *words]


def stop(process: subprocess.Popen[bytes]) -> None:
    """End what a command of `Namespaces` started, and wait for its end; nsenter itself hands on no signal."""
    if process.poll() is None:
        for pid in _children(process):
            os.kill(pid, signal.SIGTERM)
    process.wait()


def _children(process: subprocess.Popen[Any]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


@contextmanager
def namespaces(*, own_network: bool, control_groups: bool = False) -> Generator[Namespaces]:
    """New namespaces; at the end, every process in them is killed. `control_groups` can be created if asked for."""
    reader, writer = os.pipe()
    network = ["--net"] if own_network else []
    unshare = ["unshare", "--pid", "--fork", "--kill-child=KILL", "--mount", "--mount-proc", *network]
    child = subprocess.Popen(
        [*unshare, sys.executable, "-IS", str(_INIT), str(reader), "rw" if control_groups else "ro"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=[reader],
        start_new_session=True,  # Ctrl-C reaches this process, which ends the namespaces in its own time
    )
    os.close(reader)
    try:
        assert child.stdout is not None  # noqa: S101 (pipes were asked for)
        assert child.stderr is not None  # noqa: S101
        if not child.stdout.readline():
            raise ContainerError(f"cannot create namespaces: {child.stderr.read().strip()[-300:]}")
        [first] = _children(child)
        yield Namespaces(first, own_network)
    finally:
        os.close(writer)
        child.wait()
        for stream in (child.stdout, child.stderr):
            if stream is not None:
                stream.close()
