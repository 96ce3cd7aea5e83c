"""The faults of a sandbox: a file that survives restarts and counts for all engines together."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from atwork.errors import SandboxError, UsageError
from atwork.sandbox.faults.model import Call, Fault

_TABLE = """
CREATE TABLE IF NOT EXISTS faults (
    number INTEGER PRIMARY KEY AUTOINCREMENT, fault TEXT NOT NULL, seen INTEGER NOT NULL, hits INTEGER NOT NULL)
"""


@dataclass(frozen=True)
class Kept:
    """A fault with its number, the calls that matched, and those that were hit."""

    number: int
    fault: Fault
    seen: int
    hits: int


class Store:
    """Faults by number. Where nobody ever added one there is no file, and a call costs one look for it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, fault: Fault) -> int:
        """Keep a fault; its number."""
        with self._open() as database:
            row = database.execute(
                "INSERT INTO faults (fault, seen, hits) VALUES (?, 0, 0) RETURNING number", (fault.model_dump_json(),)
            )
            return int(row.fetchone()[0])

    def all(self) -> list[Kept]:
        """Every fault, in the order in which they were added."""
        if not self.path.exists():
            return []
        with self._open() as database:
            rows = database.execute("SELECT number, fault, seen, hits FROM faults ORDER BY number").fetchall()
        return [Kept(number, Fault.model_validate_json(text), seen, hits) for number, text, seen, hits in rows]

    def remove(self, number: int) -> None:
        """Forget one; `UsageError` where there is none of that number."""
        there = [str(one.number) for one in self.all()]
        if str(number) not in there:
            known = f"there are {', '.join(there)}" if there else "there are none"
            raise UsageError(f"no fault {number}: {known} (`atwork sandbox fault list`)")
        with self._open() as database:
            database.execute("DELETE FROM faults WHERE number = ?", (number,))

    def clear(self) -> int:
        """Forget all; how many there were."""
        count = len(self.all())
        if count:
            with self._open() as database:
                database.execute("DELETE FROM faults")
        return count

    def met(self, call: Call) -> list[Fault]:
        """Count a call for every fault that waits for it; those that hit it."""
        if not self.path.exists():
            return []
        hit: list[Fault] = []
        with self._open() as database:
            for number, text, seen in database.execute("SELECT number, fault, seen FROM faults ORDER BY number"):
                fault = Fault.model_validate_json(text)
                if not fault.meets(call):
                    continue
                struck = fault.hits(seen + 1)
                database.execute(
                    "UPDATE faults SET seen = seen + 1, hits = hits + ? WHERE number = ?", (int(struck), number)
                )
                if struck:
                    hit.append(fault)
        return hit

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        """The table, for one change that is whole or not at all; `SandboxError` where the file is damaged."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as database:
                database.execute("BEGIN IMMEDIATE")
                database.execute(_TABLE)
                yield database
                database.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            raise SandboxError(f"{self.path}: {error}; remove the file, then add the faults again") from error
