"""What a check of a repository says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RepositoryFinding:
    """One thing that is missing or wrong, and how to fix it."""

    file: str
    message: str
    line: int = 0
    """Line in the file, from 1; 0 if it is about the file."""
    note: bool = False
    """Whether it only says what could not be checked."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {'not checked: ' if self.note else ''}{self.message}"
