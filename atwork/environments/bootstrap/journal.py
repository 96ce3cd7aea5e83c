"""The journal of a bootstrap: one JSON line for each start and end of a step, on disk before the next starts.

Google has the actual state. The journal has what this machine started: whether a run was interrupted, and whether it
may have taken an ID that now exists.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from atwork.errors import BackendError

FOLDER = ".bootstrap"
"""Folder of the journals in a checkout; git ignores it."""


@dataclass(frozen=True)
class BootstrapJournal:
    """The journal of one environment, locked by one command at a time."""

    path: Path

    def entries(self) -> list[dict[str, Any]]:
        """All lines, without an incomplete last one."""
        entries: list[dict[str, Any]] = []
        for line in self.path.read_text().splitlines() if self.path.exists() else ():
            try:
                entries.append(json.loads(line))
            except json.JSONDecodeError:
                continue
        return entries

    def unfinished(self) -> list[dict[str, Any]]:
        """The lines of the last run if it did not finish."""
        entries = self.entries()
        starts = [at for at, entry in enumerate(entries) if entry["event"] == "start"]
        if not starts or entries[-1]["event"] == "finished":
            return []
        last = max((at for at, entry in enumerate(entries) if entry["event"] == "finished"), default=-1)
        return entries[last + 1 :]

    def begun(self, step: str) -> bool:
        """Whether an interrupted run started a step and did not record its end."""
        events = [entry["event"] for entry in self.unfinished() if entry.get("step") == step]
        return events[-1:] == ["begin"]

    def write(self, event: str, **more: str) -> None:
        """Add a line; it is on disk when this returns."""
        entry = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "event": event, **more}
        data = json.dumps(entry) + "\n"
        if self.path.exists() and self.path.stat().st_size and not self.path.read_bytes().endswith(b"\n"):
            data = "\n" + data  # after an incomplete line
        with self.path.open("a") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def opened(checkout: Path, name: str) -> Generator[BootstrapJournal]:
    """Open an environment's journal; `BackendError` if another command has it."""
    folder = checkout / FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.jsonl"
    lock = FileLock(folder / f"{name}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise BackendError(f"{FOLDER}/{name}.jsonl: another bootstrap of {name} is running; wait for it") from None
    try:
        path.touch()
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        yield BootstrapJournal(path)
    finally:
        lock.release()
