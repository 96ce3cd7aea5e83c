"""Ctrl-C, SIGTERM and a closed terminal: each running engine gets one SIGINT and ends in order.

An engine that gets a second signal stops at once, and leaves its lock and its pending operations to the next recovery.
In a terminal it would get Ctrl-C both from the terminal and from this process; it therefore runs in a process group of
its own.
"""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """Forwards signals to the running engines; also the second signal of a user who cannot wait."""

    def __init__(self) -> None:
        self.count = 0
        """Signals received so far."""
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._guard = threading.RLock()

    @contextmanager
    def forwarded_to(self, process: subprocess.Popen[bytes]) -> Generator[None]:
        """Forward signals to a process, and one at once if any was received before."""
        with self._guard:
            self._processes.add(process)
            if self.count:
                process.send_signal(signal.SIGINT)
        try:
            yield
        finally:
            with self._guard:
                self._processes.discard(process)

    @contextmanager
    def handled(self) -> Generator[None]:
        """Handle the signals of this process; call it in the main thread.

        Ignored signals stay ignored: `nohup` ignores the signal of a closed terminal.
        """
        handled = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        previous = {number: signal.signal(number, self._handle) for number in handled}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def raise_if_received(self) -> None:
        """Raise `KeyboardInterrupt` after a signal: the engines have ended in order, and no other work begins."""
        if self.count:
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        with self._guard:
            self.count += 1
            for process in self._processes:
                process.send_signal(signal.SIGINT)
