"""The text of a box: its title, its facts and its badge, as lines that fit its width."""

from __future__ import annotations

from collections.abc import Sequence

from atwork.graph import text
from atwork.graph.icons import ICONS
from atwork.graph.model import Box, BoxKind
from atwork.graph.placed import (
    FACT_SIZE,
    GAP,
    ICON_WIDTH,
    LOCK_WIDTH,
    TITLE_SIZE,
    Line,
    Placed,
    badge_width,
    on_grid,
)

_MIN_TITLE_WIDTH = 40
_FACT_STEP = 16
_SMALL_KINDS: frozenset[BoxKind] = frozenset({"pool", "repository", "namespace"})
"""Kinds with many boxes, which have less space above their title."""


def lines(box: Box, width: int, padding: int, badge: str) -> tuple[tuple[Line, ...], int]:
    """The lines of a box with a frame, and their height; title and facts are one line if they fit."""
    if box.kind in ("stack", "cell"):
        return (), 0
    start, end_padding, room = _room(box, width, padding)
    room -= badge_width(badge)
    is_environment = box.kind == "environment"
    title_size = 17.0 if is_environment else TITLE_SIZE
    titles = text.wrapped([text.clean(box.title)], room, title_size, bold=True)
    facts = tuple(text.clean(fact) for fact in box.facts)
    all_facts = " · ".join(facts)
    baseline = 24 if is_environment else 16 if box.kind in _SMALL_KINDS else 18
    step = 22 if is_environment else _FACT_STEP
    style = "title" if box.rows else "name"
    title_lines = [
        Line(start, baseline + step * number, title, title_size, style) for number, title in enumerate(titles or [""])
    ]
    used = title_lines[0].width + GAP
    if facts and len(title_lines) == 1 and text.width(all_facts, FACT_SIZE) + used <= room:
        return (*title_lines, Line(start + used, baseline, all_facts, FACT_SIZE, "fact")), on_grid(baseline + 8)
    last = int(title_lines[-1].y)
    wrapped = text.wrapped(facts, width - start - end_padding, FACT_SIZE)
    fact_lines = [
        Line(start, last + _FACT_STEP * number, fact, FACT_SIZE, "fact") for number, fact in enumerate(wrapped, 1)
    ]
    return (*title_lines, *fact_lines), on_grid(last + _FACT_STEP * len(wrapped) + 8)


def badge(box: Box, width: int, padding: int, forms: Sequence[str]) -> str:
    """The longest form of a badge that leaves room for a title, else the shortest; none where that does not fit."""
    _, _, room = _room(box, width, padding)
    shortest = forms[-1] if badge_width(forms[-1]) <= room else ""
    return next((form for form in forms if badge_width(form) <= room - _MIN_TITLE_WIDTH), shortest)


def outside(box: Box, width: int) -> Placed:
    """A pill that is as wide as its text, for a box of the kind `outside`."""
    room = width - ICON_WIDTH - 32
    title = text.truncated(text.clean(box.title), room, FACT_SIZE)
    facts = text.wrapped(box.facts, room, FACT_SIZE)
    needed = max(text.width(line, FACT_SIZE) for line in (title, *facts)) + ICON_WIDTH + 24
    placed_lines = [
        Line(ICON_WIDTH + 8, 16 + 15 * number, line, FACT_SIZE, "fact") for number, line in enumerate((title, *facts))
    ]
    height = on_grid(24 + 15 * len(facts))
    return Placed(box, 0, 0, min(on_grid(needed), width), height, height, tuple(placed_lines))


def _room(box: Box, width: int, padding: int) -> tuple[int, int, int]:
    """Where text starts, its distance from the right edge, and the width of a title together with a badge."""
    padding = max(padding, 8)
    start = padding + (ICON_WIDTH if box.kind in ICONS else 0)
    return start, padding, width - start - padding - (LOCK_WIDTH if box.guarded else 0)
