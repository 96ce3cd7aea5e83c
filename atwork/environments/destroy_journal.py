"""The progress of destroying an environment: a line for each step, to continue after an interruption.

Nothing is decided by it: each step looks at the state itself, so that a run on another machine, without this file, does
the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(".atwork", "endings")
"""In the checkout; not committed."""


@dataclass(frozen=True)
class DestroyJournal:
    """The file of one environment."""

    path: Path

    @classmethod
    def of(cls, checkout: Path, name: str) -> DestroyJournal:
        """The journal of an environment in a checkout."""
        return cls(checkout / FOLDER / f"{name}.jsonl")

    def write(self, step: str, note: str = "began") -> None:
        """Add a line."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "step": step, "note": note}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def last(self) -> str:
        """The step in which an earlier run was interrupted; "" if none was."""
        try:
            lines = [line for line in self.path.read_text().splitlines() if line.strip()]
            return str(json.loads(lines[-1])["step"]) if lines else ""
        except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
            return ""

    def close(self) -> None:
        """Delete the journal of a deleted environment."""
        self.path.unlink(missing_ok=True)
