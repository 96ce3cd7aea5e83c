"""Which known name a wrong one misspells, for messages."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable

_NUMBERED = re.compile(r"[A-Za-z0-9]*\d[A-Za-z0-9]*")


def advice(wrong: str, known: Iterable[str], *, example: str) -> str:
    """What to write instead: the nearest names, or an example if none is near."""
    near = difflib.get_close_matches(wrong, list(known), n=3, cutoff=0.7)
    return f"did you mean {' or '.join(near)}?" if near else f"write one such as {example}"


def misspelled(wrong: str, known: Collection[str], *, edits: int = 2) -> list[str]:
    """The known names that a name misspells: words without a number differ in case or by a few edits.

    A name with another number, or with another word that has one, can be newer than the list.
    """
    if wrong in known:
        return []
    numbers, letters = _NUMBERED.findall(wrong.lower()), _NUMBERED.sub("0", wrong).lower()
    distances = {
        name: distance
        for name in known
        if abs(len(name) - len(wrong)) <= edits
        and _NUMBERED.findall(name.lower()) == numbers
        and (distance := _distance(letters, _NUMBERED.sub("0", name).lower())) <= edits
    }
    least = min(distances.values(), default=0)
    return sorted(name for name, distance in distances.items() if distance == least)[:3]


def _distance(first: str, second: str) -> int:
    """Letters added, removed, replaced or swapped with the next one (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        before, last, row = row, before, [i]
        for j, other in enumerate(second, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
