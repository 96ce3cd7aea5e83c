"""The faults of a sandbox: an SQLite file that survives restarts and counts the calls of all engines."""

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
class StoredFault:
    """A fault with its number, the count of matching calls, and the count of calls that it hit."""

    number: int
    fault: Fault
    seen: int
    hits: int


class FaultStore:
    """Faults by number. The file exists only after the first fault is added."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, fault: Fault) -> int:
        """Add a fault and return its number."""
        with self._transaction() as database:
            row = database.execute(
                "INSERT INTO faults (fault, seen, hits) VALUES (?, 0, 0) RETURNING number", (fault.model_dump_json(),)
            )
            return int(row.fetchone()[0])

    def all(self) -> list[StoredFault]:
        """All faults by number."""
        if not self.path.exists():
            return []
        with self._transaction() as database:
            rows = database.execute("SELECT number, fault, seen, hits FROM faults ORDER BY number").fetchall()
        return [StoredFault(number, Fault.model_validate_json(text), seen, hits) for number, text, seen, hits in rows]

    def remove(self, number: int) -> None:
        """Remove a fault; `UsageError` if no fault has that number."""
        numbers = [str(stored.number) for stored in self.all()]
        if str(number) not in numbers:
            known = f"there are {', '.join(numbers)}" if numbers else "there are none"
            raise UsageError(f"no fault {number}: {known} (`atwork sandbox fault list`)")
        with self._transaction() as database:
            database.execute("DELETE FROM faults WHERE number = ?", (number,))

    def clear(self) -> int:
        """Remove all faults and return their number."""
        count = len(self.all())
        if count:
            with self._transaction() as database:
                database.execute("DELETE FROM faults")
        return count

    def count(self, call: Call) -> list[Fault]:
        """Count a call for every fault that matches it, and return the faults that hit it."""
        if not self.path.exists():
            return []
        hitting: list[Fault] = []
        with self._transaction() as database:
            for number, text, seen in database.execute("SELECT number, fault, seen FROM faults ORDER BY number"):
                fault = Fault.model_validate_json(text)
                if not fault.matches(call):
                    continue
                is_hit = fault.hits(seen + 1)
                database.execute(
                    "UPDATE faults SET seen = seen + 1, hits = hits + ? WHERE number = ?", (int(is_hit), number)
                )
                if is_hit:
                    hitting.append(fault)
        return hitting

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        """Run the block in one transaction; `SandboxError` if the file is damaged."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as database:
                database.execute("BEGIN IMMEDIATE")
                database.execute(_TABLE)
                yield database
                database.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            raise SandboxError(f"{self.path}: {error}; remove the file, then add the faults again") from error
