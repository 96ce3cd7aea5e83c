"""A box with its place in the picture, and the sizes of the layout in pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from atwork.graph import text
from atwork.graph.model import Box

GRID = 8
"""Every box starts and ends on this grid."""
WIDTH = 1000
"""Width of the picture, about the width of a README."""
MARGIN = 24
GUTTER = 24
"""Space between environments, with room for three arrows."""
TITLE_SIZE, FACT_SIZE = 13.0, 12.0
"""Sizes of text."""
ICON_WIDTH = 22
LOCK_WIDTH = 20
GAP = 10
"""Space between a title and the facts on the same line."""


@dataclass(frozen=True)
class Line:
    """A line of text at its baseline."""

    x: float
    y: float
    text: str
    size: float
    style: str
    """`title`, `name` or `fact`."""

    @property
    def width(self) -> float:
        """Estimated width."""
        return text.width(self.text, self.size, bold=self.style != "fact")


@dataclass(frozen=True)
class Placed:
    """A box with its place; `head` is the height of its own text."""

    box: Box
    x: int
    y: int
    width: int
    height: int
    head: int
    lines: tuple[Line, ...] = ()
    badge: str = ""
    children: tuple[Placed, ...] = ()

    @property
    def right(self) -> int:
        """The right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The lower edge."""
        return self.y + self.height

    @property
    def badge_width(self) -> int:
        """Width of the badge with the counts of changes."""
        return badge_width(self.badge)

    def walk(self) -> Iterator[Placed]:
        """This box and all boxes inside it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def moved(self, x: int, y: int) -> Placed:
        """A copy at another place."""
        return replace(
            self,
            x=self.x + x,
            y=self.y + y,
            lines=tuple(replace(line, x=line.x + x, y=line.y + y) for line in self.lines),
            children=tuple(child.moved(x, y) for child in self.children),
        )


def badge_width(badge: str) -> int:
    """Width of a badge with its margin; 0 without a badge."""
    return int(text.width(badge, FACT_SIZE, bold=True)) + 16 if badge else 0


def on_grid(value: float) -> int:
    """A length, rounded up to the grid."""
    return -int(-value // GRID) * GRID
