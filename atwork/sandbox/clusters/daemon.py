"""Programs that continue to run after the command that started them; later commands know them by a PID file."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from atwork.engine.process import born, is_same
from atwork.errors import SandboxError
from atwork.files import replace_file

_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05
_PORTS = range(20_000, 30_000)


@dataclass(frozen=True)
class Daemon:
    """A program, with a file that holds its PID and start time."""

    name: str
    folder: Path

    @property
    def log(self) -> Path:
        """The file with its output."""
        return self.folder / f"{self.name}.log"

    @property
    def _pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def start(self, command: Sequence[str]) -> None:
        """Start it if it does not run, in its own session so that Ctrl-C in a terminal does not reach it."""
        if self.alive():
            return
        output = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        try:
            pid = os.posix_spawn(
                command[0],
                list(command),
                {**os.environ, "GOMAXPROCS": os.environ.get("GOMAXPROCS", "2")},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, null, 0),
                    (os.POSIX_SPAWN_DUP2, output, 1),
                    (os.POSIX_SPAWN_DUP2, output, 2),
                ],
                setsid=True,
            )
        finally:
            os.close(output)
            os.close(null)
        replace_file(self._pid_file, json.dumps({"pid": pid, "born": born(pid)}))

    @property
    def number(self) -> int | None:
        """Its PID; None if it does not run."""
        process = self._process()
        return process[0] if process is not None and self.alive() else None

    def alive(self) -> bool:
        """Whether it runs; the start time shows whether another process got its PID."""
        process = self._process()
        if process is None:
            return False
        running = is_same(*process)
        # Afterwards: a child that ends in between is a zombie, which does not run, until its parent waits for it.
        with suppress(ChildProcessError):
            os.waitpid(process[0], os.WNOHANG)
        return running

    def stop(self) -> None:
        """Stop it, with SIGKILL if SIGTERM does not help, and wait for its end."""
        process = self._process()
        if process is not None and self.alive():
            for number in (signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.kill(process[0], number)
                if self._ends_within(_STOP_SECONDS):
                    break
        self._pid_file.unlink(missing_ok=True)

    def _ends_within(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > end:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def last_output(self, most: int = 600) -> str:
        """The end of its output, for a message."""
        return self.log.read_text(errors="replace").strip()[-most:] if self.log.exists() else ""

    def _process(self) -> tuple[int, float] | None:
        """PID and start time from the file; None if it was not started."""
        try:
            process = json.loads(self._pid_file.read_text())
            return int(process["pid"]), float(process["born"])
        except (OSError, ValueError, KeyError, TypeError):
            return None


def free_port() -> int:
    """A free port on loopback that stays free while its program is stopped.

    It is below the ports that operating systems give to clients and to listeners that ask for any port
    (from 32768 on Linux, from 49152 elsewhere).
    """
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise SandboxError(f"no port of {_PORTS[0]} to {_PORTS[-1]} is free on 127.0.0.1")
