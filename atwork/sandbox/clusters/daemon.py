"""A program that outlives the command that started it, and that a later command finds again."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from atwork.engine.process import born, is_same
from atwork.files import replace_file

_PATIENCE_SECONDS = 10.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Daemon:
    """One program, known by a file with its process number and the moment it was started."""

    name: str
    folder: Path

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder / f"{self.name}.log"

    @property
    def _note(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def start(self, command: Sequence[str]) -> None:
        """Start it, in a session of its own so that Ctrl-C in a terminal does not reach it; nothing if it runs."""
        if self.alive():
            return
        output = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        try:
            pid = os.posix_spawn(
                command[0],
                list(command),
                {**os.environ, "GOMAXPROCS": os.environ.get("GOMAXPROCS", "2")},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, nothing, 0),
                    (os.POSIX_SPAWN_DUP2, output, 1),
                    (os.POSIX_SPAWN_DUP2, output, 2),
                ],
                setsid=True,
            )
        finally:
            os.close(output)
            os.close(nothing)
        replace_file(self._note, json.dumps({"pid": pid, "born": born(pid)}))

    def alive(self) -> bool:
        """Whether it runs: a number alone could be another process by now."""
        found = self._found()
        if found is None:
            return False
        with suppress(ChildProcessError):  # a child that has ended stays a zombie until it is collected
            os.waitpid(found[0], os.WNOHANG)
        return is_same(*found)

    def stop(self) -> None:
        """End it, at last by force, and wait until it is gone."""
        found = self._found()
        if found is not None and self.alive():
            for ending in (signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.kill(found[0], ending)
                if self._gone_within(_PATIENCE_SECONDS):
                    break
        self._note.unlink(missing_ok=True)

    def _gone_within(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > end:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def last_words(self, most: int = 600) -> str:
        """The end of what it printed, for a message."""
        return self.log.read_text(errors="replace").strip()[-most:] if self.log.exists() else ""

    def _found(self) -> tuple[int, float] | None:
        """Process number and time of its start."""
        try:
            note = json.loads(self._note.read_text())
            return int(note["pid"]), float(note["born"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
