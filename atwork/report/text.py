"""Texts of a limited length, and the division of a limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def listed(names: Sequence[str], limit: int) -> str:
    """Names, separated by commas; of many, the first and the number of the others."""
    rest = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {rest:,} more" if rest > 0 else "")


def flat(text: str, limit: int) -> str:
    """A text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[:limit]}…"


def size(lines: Iterable[str]) -> int:
    """The number of characters of lines, with their line breaks."""
    return sum(len(line) + 1 for line in lines)


def fitting(lines: Iterable[str], space: int) -> list[str]:
    """The first lines that fit into a number of characters."""
    result: list[str] = []
    for line in lines:
        space -= len(line) + 1
        if space < 0:
            break
        result.append(line)
    return result


def shares(needs: Sequence[int], space: int) -> list[int]:
    """Divide a space: each part gets what it needs, or an equal share of what the smaller parts leave."""
    result = [0] * len(needs)
    for position, part in enumerate(sorted(range(len(needs)), key=needs.__getitem__)):
        result[part] = min(needs[part], max(space, 0) // (len(needs) - position))
        space -= result[part]
    return result
