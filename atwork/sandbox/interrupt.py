"""Ctrl-C, SIGTERM and a terminal that closes: each engine is told once, ends what is under way and keeps its state.

An engine that hears a second signal stops at once, and leaves its lock and what was under way to the next recovery.
In a terminal it would hear Ctrl-C by itself and from us: it therefore runs in a process group of its own.
"""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupt:
    """Hands signals on to the engines that run; the second one too, for who cannot wait."""

    def __init__(self) -> None:
        self.count = 0
        self._children: set[subprocess.Popen[bytes]] = set()
        self._guard = threading.RLock()

    @contextmanager
    def reaching(self, child: subprocess.Popen[bytes]) -> Generator[None]:
        """Tell a child of what is heard meanwhile, and of what was heard before it was there."""
        with self._guard:
            self._children.add(child)
            if self.count:
                child.send_signal(signal.SIGINT)
        try:
            yield
        finally:
            with self._guard:
                self._children.discard(child)

    @contextmanager
    def heard(self) -> Generator[None]:
        """Hear the signals of this process instead of dying of them; for its main thread.

        What is ignored stays so: `nohup` wants a terminal that closes to mean nothing.
        """
        heeded = [one for one in _SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]
        before = {one: signal.signal(one, self._hear) for one in heeded}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        with self._guard:
            self.count += 1
            for child in self._children:
                child.send_signal(signal.SIGINT)
