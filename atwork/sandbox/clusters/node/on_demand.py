"""Ports in the network of a node that a program of this machine answers, which starts with the first connection."""

from __future__ import annotations

import select
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PAUSE_SECONDS = 5.0
"""Between two starts of a program that ends."""
_END_SECONDS = 5.0
"""Less than a command waits for the end of the agent."""


@dataclass
class OnDemand:
    """A program that inherits the listening sockets, and is started again if it ends while somebody waits.

    Arguments in addition to those of `command`: PORT=DESCRIPTOR for each port.
    """

    command: Sequence[str]
    listeners: Mapping[int, socket.socket]
    """By port."""
    log: Path
    _process: subprocess.Popen[bytes] | None = None
    _started: float = 0.0

    def wait(self, seconds: float) -> None:
        """Start the program if it does not run and there is a connection, now or in this time."""
        if not self.listeners or self._runs() or time.monotonic() < self._started + _PAUSE_SECONDS:
            time.sleep(seconds)
            return
        waiting, _, _ = select.select([*self.listeners.values()], [], [], seconds)
        if waiting:
            self._start()

    def close(self) -> None:
        """End the program."""
        if self._process is not None and self._runs():
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_SECONDS)
            self._process.kill()
            self._process.wait()

    def _runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _start(self) -> None:
        descriptors = {port: listener.fileno() for port, listener in self.listeners.items()}
        words = [*self.command, *(f"{port}={descriptor}" for port, descriptor in descriptors.items())]
        # A killed agent ends it, too.
        guarded = ["setpriv", "--pdeathsig=KILL", "--", *words]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                guarded, stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=[*descriptors.values()]
            )
        self._started = time.monotonic()
