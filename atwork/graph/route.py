"""Arrows around boxes: the cheapest way on a grid, where bends, crossings and running on another's line cost.

Arrows of one kind that share an end may share a way: that is how many of them become one trunk.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from atwork.graph.layout import GRID, Placed
from atwork.graph.model import Arrow

Point = tuple[int, int]
_Step = tuple[int, int]
"""A cell of the grid, and the direction that it was entered in."""

_WAYS: tuple[Point, ...] = ((1, 0), (0, 1), (-1, 0), (0, -1))
_BEND, _CROSS, _OVER, _NEAR, _SHARED, _ASIDE = 3.0, 2.0, 12.0, 0.3, 0.5, 0.05
_HALF = GRID // 2
_CLOSED = frozenset({"environment", "jenkins", "pools", "registry"})
"""Arrows from and to what is inside run through these, and no others."""
_EDGE = 3
"""Cells beside the head of an environment that arrows come in by."""


class Router:
    """Finds ways one after the other, so that later ones see the earlier."""

    def __init__(self, cells: Sequence[Placed], width: int, height: int) -> None:
        self.columns, self.rows = width // GRID, height // GRID
        self.cells = [(cell, {one.box.id for one in cell.walk()}) for cell in cells]
        self.boxes = {one.box.id: one for cell in cells for one in cell.walk()}
        self.closed = [
            (one, {inner.box.id for inner in one.walk()}) for one in self.boxes.values() if one.box.kind in _CLOSED
        ]
        self.blocked = bytearray(self.columns * self.rows)
        for one in self.boxes.values():
            self._fill(self.blocked, *_owned(one))
        self.near = bytearray(self.blocked)
        for cell, taken in enumerate(self.blocked):
            if taken:
                for beside in (cell - 1, cell + 1, cell - self.columns, cell + self.columns):
                    if 0 <= beside < len(self.near):
                        self.near[beside] = 1
        self.used: dict[int, list[tuple[Arrow, int]]] = {}

    def way(self, arrow: Arrow) -> list[Point]:
        """Corners from border to border in pixels: around all else, or over it where there is no way around."""
        source, target = self.boxes[arrow.source], self.boxes[arrow.target]
        found: list[_Step] = []
        for blocks, closes in ((True, True), (True, False), (False, False)):
            free = self._open(arrow, source, target, blocks=blocks, closes=closes)
            found = found or self._search(arrow, source, target, free)
        for index, (cell, way) in enumerate(found):
            left_by = found[index + 1][1] if index + 1 < len(found) else way
            self.used.setdefault(cell, []).extend((arrow, one) for one in sorted({way, left_by}))
        return self._corners(found)

    def _open(self, arrow: Arrow, source: Placed, target: Placed, *, blocks: bool, closes: bool) -> bytearray:
        """1 for each cell that an arrow may run in: of its own environment where both ends are in one."""
        ends = {arrow.source, arrow.target}
        taken = bytearray(self.blocked) if blocks else bytearray(len(self.blocked))
        around = next((cell for cell, inside in self.cells if ends <= inside), None) if closes else None
        for one, inside in self.closed if closes else ():
            if not inside & ends:
                self._fill(taken, *_cells(one))
        for one in (source, target):
            self._fill(taken, *_cells(one))
        left, top, right, bottom = _cells(around) if around else (0, 0, self.columns, self.rows)
        # A cell on the rim of the grid is never free, so that the search need not look for the rim.
        left, top, right, bottom = max(left, 1), max(top, 1), min(right, self.columns - 1), min(bottom, self.rows - 1)
        free = bytearray(len(taken))
        for row in range(top, bottom):
            start = row * self.columns
            free[start + left : start + right] = bytes(1 - one for one in taken[start + left : start + right])
        return free

    def _ports(self, one: Placed, free: bytearray) -> Iterator[tuple[int, int, float]]:
        """Cells just outside of a border, the way out, and a little for how far they are from the middle."""
        left, top, right, bottom = _cells(one)
        across, tall = range(left + 1, right - 1), range(top + 1, bottom - 1)
        if bottom - top <= _EDGE:
            tall = range(top, bottom)
        middle, height = (left + right - 1) / 2, (top + bottom - 1) / 2
        sides = [(x, top - 1, 3, abs(x - middle)) for x in across] + [(x, bottom, 1, abs(x - middle)) for x in across]
        sides += [(left - 1, y, 2, abs(y - height)) for y in tall] + [(right, y, 0, abs(y - height)) for y in tall]
        for x, y, way, off in sides:
            if 0 <= x < self.columns and 0 <= y < self.rows and free[y * self.columns + x]:
                yield y * self.columns + x, way, off * _ASIDE

    def _search(self, arrow: Arrow, source: Placed, target: Placed, free: bytearray) -> list[_Step]:
        ends = {(cell, (way + 2) % 4) for cell, way, _ in self._ports(target, free)}
        steps = [dx + dy * self.columns for dx, dy in _WAYS]
        left, top, right, bottom = _cells(target)

        def ahead(cell: int) -> float:
            y, x = divmod(cell, self.columns)
            return _SHARED * (max(left - x, 0, x - right + 1) + max(top - y, 0, y - bottom + 1) - 1)

        best: dict[_Step, float] = {}
        before: dict[_Step, _Step] = {}
        queue: list[tuple[float, float, _Step]] = []
        for cell, way, off in self._ports(source, free):
            best[cell, way] = cost = off + self._cost(arrow, cell, way)
            queue.append((cost + ahead(cell), cost, (cell, way)))
        heapq.heapify(queue)
        while queue and ends:
            _, cost, step = heapq.heappop(queue)
            if cost > best[step]:
                continue
            if step in ends:
                return _back(step, before)
            cell, way = step
            for turned, move in enumerate(steps):
                beside = cell + move
                if not free[beside] or turned == (way + 2) % 4:
                    continue
                total = cost + self._cost(arrow, beside, turned) + (0.0 if turned == way else _BEND)
                there = (beside, turned)
                if total < best.get(there, float("inf")):
                    best[there], before[there] = total, step
                    heapq.heappush(queue, (total + ahead(beside), total, there))
        return []

    def _cost(self, arrow: Arrow, cell: int, way: int) -> float:
        cost = 1.0 + _NEAR * self.near[cell]
        others = self.used.get(cell)
        if others is None:
            return cost
        strangers = [used for other, used in others if not _together(arrow, other)]
        if not strangers:
            return cost * _SHARED
        return cost + (_OVER if any(used % 2 == way % 2 for used in strangers) else _CROSS)

    def _fill(self, grid: bytearray, left: int, top: int, right: int, bottom: int) -> None:
        for row in range(max(top, 0), min(bottom, self.rows)):
            start = row * self.columns
            grid[start + left : start + right] = b"\1" * (right - left)

    def _corners(self, steps: Sequence[_Step]) -> list[Point]:
        """From the border of the source to the border of the target, through the bends."""
        if not steps:
            return []
        middle = [(cell % self.columns * GRID + _HALF, cell // self.columns * GRID + _HALF) for cell, _ in steps]
        out, into = _WAYS[steps[0][1]], _WAYS[steps[-1][1]]
        first = (middle[0][0] - out[0] * _HALF, middle[0][1] - out[1] * _HALF)
        last = (middle[-1][0] + into[0] * _HALF, middle[-1][1] + into[1] * _HALF)
        return [first, *_bends([first, *middle, last]), last]


def _bends(points: Sequence[Point]) -> Iterable[Point]:
    for (a, b), (_, c) in pairwise(pairwise(points)):
        if (b[0] == a[0]) != (c[0] == b[0]):
            yield b


def _together(one: Arrow, other: Arrow) -> bool:
    return one.kind == other.kind and (one.source == other.source or one.target == other.target)


def _cells(one: Placed) -> tuple[int, int, int, int]:
    return one.x // GRID, one.y // GRID, one.right // GRID, one.bottom // GRID


def _owned(one: Placed) -> tuple[int, int, int, int]:
    """Where no arrow may run: a box without children, and the text of one that has some."""
    left, top, right, bottom = _cells(one)
    if one.box.kind in ("stack", "cell"):
        return left, top, left, top
    if not one.children:
        return left, top, right, bottom
    edge = _EDGE if one.box.kind == "environment" else 1
    return left + edge, top, max(right - edge, left + edge), (one.y + one.head) // GRID


def _back(step: _Step, before: dict[_Step, _Step]) -> list[_Step]:
    found = [step]
    while found[-1] in before:
        found.append(before[found[-1]])
    return found[::-1]
