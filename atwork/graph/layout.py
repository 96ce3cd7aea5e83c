"""Where everything goes: boxes in rows inside boxes, on a grid of 8 pixels, with gutters that arrows run in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from atwork.graph import text
from atwork.graph.build import Picture
from atwork.graph.icons import ICONS
from atwork.graph.model import Box, BoxKind

GRID = 8
WIDTH = 1000
"""Of the picture, in pixels: about what a README has."""
MARGIN = 24
COLUMNS = 3
ROOMY = 400
"""A network of this width has gutters for three arrows."""
ROOM_OF_TITLE = 40
LEAST = 128
"""Boxes side by side are at least this wide; else they stand one below the other."""
GUTTER = 24
"""Between environments: room for three arrows side by side."""
TITLE, FACT = 13.0, 12.0
"""Sizes of text in pixels."""
ICON = 22
LOCK = 20
GAP = 10
"""Between a name and what is on its line."""


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
        """Estimated, rather too much."""
        return text.width(self.text, self.size, bold=self.style != "fact")


@dataclass(frozen=True)
class Placed:
    """A box with its place; `head` is how much of its height belongs to its own text."""

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
        """Room for the counts of changes."""
        return _badge(self.badge)

    def walk(self) -> Iterator[Placed]:
        """This and all inside it."""
        yield self
        for one in self.children:
            yield from one.walk()

    def moved(self, x: int, y: int) -> Placed:
        """The same at another place."""
        return replace(
            self, x=self.x + x, y=self.y + y,
            lines=tuple(replace(line, x=line.x + x, y=line.y + y) for line in self.lines),
            children=tuple(one.moved(x, y) for one in self.children),
        )  # fmt: skip


_PADDING: dict[BoxKind, tuple[int, int]] = {
    "stack": (0, 16), "cell": (0, 16), "environment": (24, 16), "network": (16, 16), "cluster": (16, 8),
    "jenkins": (8, 8), "pools": (8, 8), "registry": (8, 8),
}  # fmt: skip
"""Around children, and between them."""

_WEIGHTS: dict[BoxKind, float] = {"database": 1.6}
"""How wide beside others."""

_LOW: frozenset[BoxKind] = frozenset({"pool", "repository", "namespace"})
"""Of these there are many."""


Badges = Mapping[str, Sequence[str]]
"""Counts of changes by box, from the longest way to write them to the shortest."""


def placed(picture: Picture, badges: Badges, top: int) -> tuple[list[Placed], int]:
    """All cells below `top`, and where the picture ends: hubs over the whole width, the others side by side."""
    found: list[Placed] = []
    y = top
    for cells, across in ((picture.hubs, 1), (picture.others, min(COLUMNS, len(picture.others)) or 1)):
        each = (WIDTH - 2 * MARGIN - GUTTER * (across - 1)) // across // GRID * GRID
        for start in range(0, len(cells), across):
            row = [place(cell, each, badges) for cell in cells[start : start + across]]
            found += [one.moved(MARGIN + number * (each + GUTTER), y) for number, one in enumerate(row)]
            y += max(one.height for one in row) + GUTTER
    return found, _up(y - GUTTER + MARGIN if found else y)


def place(box: Box, width: int, badges: Badges) -> Placed:
    """A box of a width at the origin; its height is what it needs."""
    if box.kind == "outside":
        return _outside(box, width)
    badge = _badge_of(box, width, badges.get(box.id, ("",)))
    lines, head = _text(box, width, badge)
    around, between = _padding(box, width)
    children: list[Placed] = []
    y = head
    for row in _fitting(box.rows, width - 2 * around):
        placed_row = _row(row, around, y, width - 2 * around, between, badges)
        children += placed_row
        y = max(one.bottom for one in placed_row) + between
    end = y - between + (16 if around > GRID else around) if children else head
    return Placed(box, 0, 0, width, _up(end), head, lines, badge, tuple(children))


def _fitting(rows: Sequence[tuple[Box, ...]], width: int) -> Iterator[tuple[Box, ...]]:
    """The rows, with what is too narrow side by side in rows of its own."""
    for row in rows:
        weights = _weights(row)
        if len(row) > 1 and (width - GUTTER) * min(weights) / sum(weights) < LEAST:
            yield from ((one,) for one in row)
        else:
            yield row


def _row(row: Sequence[Box], x: int, y: int, width: int, between: int, badges: Badges) -> list[Placed]:
    """Boxes side by side, those with a frame as high as the highest; pills keep to the right, where arrows turn in."""
    gap = GUTTER if any(one.kind == "stack" for one in row) else between
    weights = _weights(row)
    unit = (width - gap * (len(row) - 1)) / sum(weights)
    end = x + width
    found: list[Placed] = []
    for number, (one, weight) in enumerate(zip(row, weights, strict=True), 1):
        made = place(one, end - x if number == len(row) else int(unit * weight) // GRID * GRID, badges)
        left = end - made.width if one.kind == "outside" else x
        found.append(made.moved(left // GRID * GRID, y))
        x += made.width + gap
    height = max(one.height for one in found)
    return [one if one.box.kind in ("stack", "outside") else replace(one, height=height) for one in found]


def _weights(row: Sequence[Box]) -> list[float]:
    """How wide boxes are beside each other: networks have the most inside, then what runs in a cluster."""
    if row[0].kind == "stack":
        return [2.0, 1.0] if any(one.kind == "network" for one in row[0].children) else [1.0, 1.25]
    return [_WEIGHTS.get(one.kind, 1.0) for one in row]


def _padding(box: Box, width: int) -> tuple[int, int]:
    around, between = _PADDING.get(box.kind, (8, 8))
    return (GUTTER, between) if box.kind == "network" and width >= ROOMY else (around, between)


def _outside(box: Box, width: int) -> Placed:
    """Who is no resource: a pill as wide as its text."""
    title = text.fitted(text.clean(box.title), width - ICON - 32, FACT)
    facts = text.lines(box.facts, width - ICON - 32, FACT)
    needed = max(text.width(one, FACT) for one in (title, *facts)) + ICON + 24
    lines = [Line(ICON + 8, 16, title, FACT, "fact")]
    lines += [Line(ICON + 8, 16 + 15 * number, one, FACT, "fact") for number, one in enumerate(facts, 1)]
    height = _up(24 + 15 * len(facts))
    return Placed(box, 0, 0, min(_up(needed), width), height, height, tuple(lines))


def _text(box: Box, width: int, badge: str) -> tuple[tuple[Line, ...], int]:
    """The lines of a box with a frame, and how high they are together: one line where everything fits on it."""
    if box.kind in ("stack", "cell"):
        return (), 0
    start, left, room = _room(box, width)
    room -= _badge(badge)
    big = 17.0 if box.kind == "environment" else TITLE
    names = text.lines([text.clean(box.title)], room, big, bold=True)
    facts = tuple(text.clean(fact) for fact in box.facts)
    beside = " · ".join(facts)
    baseline = 24 if box.kind == "environment" else 16 if box.kind in _LOW else 18
    step = 22 if box.kind == "environment" else 16
    style = "title" if box.rows else "name"
    lines = [Line(start, baseline + step * number, one, big, style) for number, one in enumerate(names or [""])]
    taken = lines[0].width + GAP
    if facts and len(lines) == 1 and text.width(beside, FACT) + taken <= room:
        return (*lines, Line(start + taken, baseline, beside, FACT, "fact")), _up(baseline + 8)
    last = int(lines[-1].y)
    below = text.lines(facts, width - start - left, FACT)
    lines += [Line(start, last + 16 * number, one, FACT, "fact") for number, one in enumerate(below, 1)]
    return tuple(lines), _up(last + 16 * len(below) + 8)


def _room(box: Box, width: int) -> tuple[int, int, int]:
    """Where text begins, how far from the right edge it ends, and how wide a title and a badge are together."""
    left = max(_padding(box, width)[0], 8)
    start = left + (ICON if box.kind in ICONS else 0)
    return start, left, width - start - left - (LOCK if box.guarded else 0)


def _badge_of(box: Box, width: int, forms: Sequence[str]) -> str:
    """The longest form that leaves room for a title."""
    _, _, room = _room(box, width)
    return next((one for one in forms if _badge(one) <= room - ROOM_OF_TITLE), forms[-1])


def _badge(badge: str) -> int:
    return int(text.width(badge, FACT, bold=True)) + 16 if badge else 0


def _up(value: float) -> int:
    return -int(-value // GRID) * GRID
