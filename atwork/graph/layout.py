"""The layout: boxes in rows inside boxes, on a grid of 8 pixels, with gutters for arrows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from atwork.graph import box_text
from atwork.graph.build import Picture
from atwork.graph.model import Box, BoxKind
from atwork.graph.placed import GRID, GUTTER, MARGIN, WIDTH, Placed, on_grid

_COLUMNS = 3
_WIDE_NETWORK = 400
"""Networks of at least this width have gutters for three arrows."""
_MIN_WIDTH = 128
"""Boxes that would be narrower than this side by side are placed one below the other."""

_PADDING: dict[BoxKind, tuple[int, int]] = {
    "stack": (0, 16),
    "cell": (0, 16),
    "environment": (24, 16),
    "network": (16, 16),
    "cluster": (16, 8),
    "jenkins": (8, 8),
    "pools": (8, 8),
    "registry": (8, 8),
}
"""Space around the children of a box, and between them."""

_WEIGHTS: dict[BoxKind, float] = {"database": 1.6}
"""Relative widths of boxes in a row."""

Badges = Mapping[str, Sequence[str]]
"""The counts of changes by box, from the longest form to the shortest."""


def layout(picture: Picture, badges: Badges, top: int) -> tuple[list[Placed], int]:
    """All cells below `top`, and the height of the picture: hubs on top of each other, the others side by side."""
    cells: list[Placed] = []
    y = top
    for boxes, columns in ((picture.hubs, 1), (picture.others, min(_COLUMNS, len(picture.others)) or 1)):
        width = (WIDTH - 2 * MARGIN - GUTTER * (columns - 1)) // columns // GRID * GRID
        for start in range(0, len(boxes), columns):
            row = [place(cell, width, badges) for cell in boxes[start : start + columns]]
            cells += [cell.moved(MARGIN + number * (width + GUTTER), y) for number, cell in enumerate(row)]
            y += max(cell.height for cell in row) + GUTTER
    return cells, on_grid(y - GUTTER + MARGIN if cells else y)


def place(box: Box, width: int, badges: Badges) -> Placed:
    """A box of a width at the origin, as high as its contents."""
    if box.kind == "outside":
        return box_text.outside(box, width)
    padding, spacing = _padding(box, width)
    badge = box_text.badge(box, width, padding, badges.get(box.id, ("",)))
    lines, head = box_text.lines(box, width, padding, badge)
    children: list[Placed] = []
    y = head
    for row in _rows_that_fit(box.rows, width - 2 * padding):
        placed_row = _row(row, padding, y, width - 2 * padding, spacing, badges)
        children += placed_row
        y = max(child.bottom for child in placed_row) + spacing
    end = y - spacing + (16 if padding > GRID else padding) if children else head
    return Placed(box, 0, 0, width, on_grid(end), head, lines, badge, tuple(children))


def _rows_that_fit(rows: Sequence[tuple[Box, ...]], width: int) -> Iterator[tuple[Box, ...]]:
    """The rows; boxes that would be too narrow side by side get rows of their own."""
    for row in rows:
        weights = _weights(row)
        if len(row) > 1 and (width - GUTTER) * min(weights) / sum(weights) < _MIN_WIDTH:
            yield from ((box,) for box in row)
        else:
            yield row


def _row(row: Sequence[Box], x: int, y: int, width: int, spacing: int, badges: Badges) -> list[Placed]:
    """Boxes side by side; framed boxes get the same height, and pills are at the right, where arrows enter."""
    gap = GUTTER if any(box.kind == "stack" for box in row) else spacing
    weights = _weights(row)
    unit = (width - gap * (len(row) - 1)) / sum(weights)
    end = x + width
    placed_row: list[Placed] = []
    for number, (box, weight) in enumerate(zip(row, weights, strict=True), 1):
        placed = place(box, end - x if number == len(row) else int(unit * weight) // GRID * GRID, badges)
        left = end - placed.width if box.kind == "outside" else x
        placed_row.append(placed.moved(left // GRID * GRID, y))
        x += placed.width + gap
    height = max(placed.height for placed in placed_row)
    return [
        placed if placed.box.kind in ("stack", "outside") else replace(placed, height=height) for placed in placed_row
    ]


def _weights(row: Sequence[Box]) -> list[float]:
    """Relative widths of the boxes in a row; a column with networks is wider than the other columns."""
    if row[0].kind == "stack":
        return [2.0, 1.0] if any(child.kind == "network" for child in row[0].children) else [1.0, 1.25]
    return [_WEIGHTS.get(box.kind, 1.0) for box in row]


def _padding(box: Box, width: int) -> tuple[int, int]:
    padding, spacing = _PADDING.get(box.kind, (8, 8))
    return (GUTTER, spacing) if box.kind == "network" and width >= _WIDE_NETWORK else (padding, spacing)
