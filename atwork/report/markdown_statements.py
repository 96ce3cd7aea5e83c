"""The lists of the comment: what needs a decision, and remarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from atwork.report.markdown_text import LINE, SHORTEST_LINE, one_line
from atwork.report.model import StackReport
from atwork.report.statements import merged
from atwork.report.text import fitting, size

Sentences = Callable[[StackReport], Sequence[str]]

_MERGED_LINE = 120
"""Minimum length of a line that is not cut for the sake of another."""
_MORE = 30
"""Maximum length of the last line."""


def statements(reports: Sequence[StackReport], sentences: Sentences, start: str) -> list[str]:
    """A line for each sentence about each stack, each with a start such as the sign of a list."""
    return [start + one_line(sentence, LINE) for report in reports for sentence in sentences(report)]


def statements_within(
    reports: Sequence[StackReport], sentences: Sentences, start: str, space: int
) -> tuple[list[str], int]:
    """The lines that fit, and the number of the other sentences.

    Where there are many, each is shorter. If that does not suffice, equal sentences become one, and the last are
    left out.
    """
    lines = statements(reports, sentences, start)
    if size(lines) <= space:
        return lines, 0
    width = space // len(lines) - len(start) - len("…\n")
    if width >= SHORTEST_LINE:
        return [start + one_line(sentence, width) for report in reports for sentence in sentences(report)], 0
    items = merged(reports, sentences)
    width = max(_MERGED_LINE, min(LINE, space // len(items)))
    lines = fitting(
        (start + one_line(f"{item.names}{item.text}", len(item.names) + width) for item in items),
        space - len(start) - _MORE,
    )
    missing = sum(len(item.stacks) for item in items[len(lines) :])
    more = [f"{start}and {missing:,} more"] if missing and lines else []
    return [*lines, *more], missing
