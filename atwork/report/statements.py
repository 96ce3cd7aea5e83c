"""Sentences about stacks. Where many stacks say the same, it is one sentence with their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from atwork.report.model import StackReport
from atwork.report.text import listed

_NAMES = 3
"""Maximum number of stacks whose names are part of a sentence."""


@dataclass(frozen=True)
class Statement:
    """The same sentence about some stacks."""

    stacks: tuple[str, ...]
    text: str
    """What follows the names, with the character in between."""

    @property
    def names(self) -> str:
        """The names of the stacks; of many, the first and the number of the others."""
        return listed(self.stacks, _NAMES)


def merged(reports: Sequence[StackReport], sentences: Callable[[StackReport], Sequence[str]]) -> list[Statement]:
    """The sentences about all stacks, equal ones once.

    The first sentence of each stack comes before the second of any: where not all can be shown, no stack with many
    sentences hides another. Each sentence begins with the name of its stack.
    """
    ordered = sorted(
        (number, position, report.stack, sentence.removeprefix(report.stack))
        for position, report in enumerate(reports)
        for number, sentence in enumerate(sentences(report))
    )
    stacks_by_text: dict[str, dict[str, None]] = {}
    for *_, stack, text in ordered:
        stacks_by_text.setdefault(text, {})[stack] = None
    return [Statement(tuple(stacks), text) for text, stacks in stacks_by_text.items()]
