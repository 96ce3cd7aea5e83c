"""Routes of arrows around boxes: the cheapest path on a grid, where bends, crossings and overlaps cost.

Arrows of the same kind that share an end may share a path, so that they form one line that branches.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from atwork.graph.model import Arrow
from atwork.graph.placed import GRID, Placed

Point = tuple[int, int]
_Step = tuple[int, int]
"""A cell of the grid, and the direction in which it is entered."""

_DIRECTIONS: tuple[Point, ...] = ((1, 0), (0, 1), (-1, 0), (0, -1))
_BEND, _CROSS, _OVERLAP, _NEAR, _SHARED, _OFF_CENTER = 3.0, 2.0, 12.0, 0.3, 0.5, 0.05
_HALF = GRID // 2
_CLOSED_KINDS = frozenset({"environment", "jenkins", "pools", "registry"})
"""Boxes that only arrows from or to their contents may cross."""
_EDGE = 3
"""Cells next to the title of an environment where arrows may enter."""


class Router:
    """Finds routes one after the other, so that later routes take earlier ones into account."""

    def __init__(self, cells: Sequence[Placed], width: int, height: int) -> None:
        self.columns, self.rows = width // GRID, height // GRID
        self.cells = [(cell, {placed.box.id for placed in cell.walk()}) for cell in cells]
        self.boxes = {placed.box.id: placed for cell in cells for placed in cell.walk()}
        self.closed = [
            (placed, {inner.box.id for inner in placed.walk()})
            for placed in self.boxes.values()
            if placed.box.kind in _CLOSED_KINDS
        ]
        self.blocked = bytearray(self.columns * self.rows)
        for placed in self.boxes.values():
            self._fill(self.blocked, *_blocked_area(placed))
        self.near = bytearray(self.blocked)
        for cell, blocked in enumerate(self.blocked):
            if blocked:
                for neighbor in (cell - 1, cell + 1, cell - self.columns, cell + self.columns):
                    if 0 <= neighbor < len(self.near):
                        self.near[neighbor] = 1
        self.used: dict[int, list[tuple[Arrow, int]]] = {}

    def route(self, arrow: Arrow) -> list[Point]:
        """The points of an arrow in pixels, from border to border; it crosses boxes only if it must."""
        source, target = self.boxes[arrow.source], self.boxes[arrow.target]
        steps: list[_Step] = []
        for blocks, closes in ((True, True), (True, False), (False, False)):
            free = self._open(arrow, source, target, blocks=blocks, closes=closes)
            steps = steps or self._search(arrow, source, target, free)
        for index, (cell, direction) in enumerate(steps):
            exit_ = steps[index + 1][1] if index + 1 < len(steps) else direction
            self.used.setdefault(cell, []).extend((arrow, direction) for direction in sorted({direction, exit_}))
        return self._points(steps)

    def _open(self, arrow: Arrow, source: Placed, target: Placed, *, blocks: bool, closes: bool) -> bytearray:
        """1 for each cell that an arrow may use; only cells of the environment if both ends are in the same one."""
        ends = {arrow.source, arrow.target}
        blocked = bytearray(self.blocked) if blocks else bytearray(len(self.blocked))
        boundary = next((cell for cell, inside in self.cells if ends <= inside), None) if closes else None
        for placed, inside in self.closed if closes else ():
            if not inside & ends:
                self._fill(blocked, *_cells(placed))
        for placed in (source, target):
            self._fill(blocked, *_cells(placed))
        left, top, right, bottom = _cells(boundary) if boundary else (0, 0, self.columns, self.rows)
        # A cell on the edge of the grid is never free, so that the search needs no check for the edge.
        left, top, right, bottom = max(left, 1), max(top, 1), min(right, self.columns - 1), min(bottom, self.rows - 1)
        free = bytearray(len(blocked))
        for row in range(top, bottom):
            start = row * self.columns
            free[start + left : start + right] = bytes(1 - value for value in blocked[start + left : start + right])
        return free

    def _ports(self, placed: Placed, free: bytearray) -> Iterator[tuple[int, int, float]]:
        """Cells next to a border, the direction away from it, and a small cost for the distance from the center."""
        left, top, right, bottom = _cells(placed)
        across, tall = range(left + 1, right - 1), range(top + 1, bottom - 1)
        if bottom - top <= _EDGE:
            tall = range(top, bottom)
        center, height = (left + right - 1) / 2, (top + bottom - 1) / 2
        sides = [(x, top - 1, 3, abs(x - center)) for x in across] + [(x, bottom, 1, abs(x - center)) for x in across]
        sides += [(left - 1, y, 2, abs(y - height)) for y in tall] + [(right, y, 0, abs(y - height)) for y in tall]
        for x, y, direction, distance in sides:
            if 0 <= x < self.columns and 0 <= y < self.rows and free[y * self.columns + x]:
                yield y * self.columns + x, direction, distance * _OFF_CENTER

    def _search(self, arrow: Arrow, source: Placed, target: Placed, free: bytearray) -> list[_Step]:
        ends = {(cell, (direction + 2) % 4) for cell, direction, _ in self._ports(target, free)}
        moves = [dx + dy * self.columns for dx, dy in _DIRECTIONS]
        left, top, right, bottom = _cells(target)

        def estimate(cell: int) -> float:
            y, x = divmod(cell, self.columns)
            return _SHARED * (max(left - x, 0, x - right + 1) + max(top - y, 0, y - bottom + 1) - 1)

        best: dict[_Step, float] = {}
        previous: dict[_Step, _Step] = {}
        queue: list[tuple[float, float, _Step]] = []
        for cell, direction, distance in self._ports(source, free):
            best[cell, direction] = cost = distance + self._cost(arrow, cell, direction)
            queue.append((cost + estimate(cell), cost, (cell, direction)))
        heapq.heapify(queue)
        while queue and ends:
            _, cost, step = heapq.heappop(queue)
            if cost > best[step]:
                continue
            if step in ends:
                return _path(step, previous)
            cell, direction = step
            for next_direction, move in enumerate(moves):
                neighbor = cell + move
                if not free[neighbor] or next_direction == (direction + 2) % 4:
                    continue
                next_cost = (
                    cost + self._cost(arrow, neighbor, next_direction) + (0.0 if next_direction == direction else _BEND)
                )
                next_step = (neighbor, next_direction)
                if next_cost < best.get(next_step, float("inf")):
                    best[next_step], previous[next_step] = next_cost, step
                    heapq.heappush(queue, (next_cost + estimate(neighbor), next_cost, next_step))
        return []

    def _cost(self, arrow: Arrow, cell: int, direction: int) -> float:
        cost = 1.0 + _NEAR * self.near[cell]
        others = self.used.get(cell)
        if others is None:
            return cost
        unrelated = [used for other, used in others if not _may_share(arrow, other)]
        if not unrelated:
            return cost * _SHARED
        return cost + (_OVERLAP if any(used % 2 == direction % 2 for used in unrelated) else _CROSS)

    def _fill(self, grid: bytearray, left: int, top: int, right: int, bottom: int) -> None:
        for row in range(max(top, 0), min(bottom, self.rows)):
            start = row * self.columns
            grid[start + left : start + right] = b"\1" * (right - left)

    def _points(self, steps: Sequence[_Step]) -> list[Point]:
        """The points from the border of the source to the border of the target, with the bends."""
        if not steps:
            return []
        centers = [(cell % self.columns * GRID + _HALF, cell // self.columns * GRID + _HALF) for cell, _ in steps]
        way_out, way_in = _DIRECTIONS[steps[0][1]], _DIRECTIONS[steps[-1][1]]
        first = (centers[0][0] - way_out[0] * _HALF, centers[0][1] - way_out[1] * _HALF)
        last = (centers[-1][0] + way_in[0] * _HALF, centers[-1][1] + way_in[1] * _HALF)
        return [first, *_bends([first, *centers, last]), last]


def _bends(points: Sequence[Point]) -> Iterable[Point]:
    for (a, b), (_, c) in pairwise(pairwise(points)):
        if (b[0] == a[0]) != (c[0] == b[0]):
            yield b


def _may_share(first: Arrow, second: Arrow) -> bool:
    return first.kind == second.kind and (first.source == second.source or first.target == second.target)


def _cells(placed: Placed) -> tuple[int, int, int, int]:
    return placed.x // GRID, placed.y // GRID, placed.right // GRID, placed.bottom // GRID


def _blocked_area(placed: Placed) -> tuple[int, int, int, int]:
    """The area that arrows must not cross: a box without children, or the text of a box with children."""
    left, top, right, bottom = _cells(placed)
    if placed.box.kind in ("stack", "cell"):
        return left, top, left, top
    if not placed.children:
        return left, top, right, bottom
    edge = _EDGE if placed.box.kind == "environment" else 1
    return left + edge, top, max(right - edge, left + edge), (placed.y + placed.head) // GRID


def _path(step: _Step, previous: dict[_Step, _Step]) -> list[_Step]:
    steps = [step]
    while steps[-1] in previous:
        steps.append(previous[steps[-1]])
    return steps[::-1]
