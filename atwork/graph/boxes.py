"""How a box is made: its id, and the texts about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from atwork.graph.model import Box, BoxKind
from atwork.graph.resources import StackResource

_MAX_NAMES = 4
"""Names that are listed one by one."""


def box(
    stack: str,
    kind: BoxKind,
    name: str,
    *resources: StackResource,
    title: str = "",
    facts: Iterable[str] = (),
    rows: Sequence[tuple[Box, ...]] = (),
    guarded: bool = False,
) -> Box:
    """A box whose id contains the stack, the kind and the name."""
    return Box(
        id=identity(stack, kind, name),
        kind=kind,
        title=title or name,
        facts=tuple(fact for fact in facts if fact),
        urns=tuple(resource.urn for resource in resources),
        rows=tuple(row for row in rows if row),
        guarded=guarded,
    )


def column(stack: str, name: str, boxes: Sequence[Box]) -> Box:
    """A column of boxes without a frame."""
    return box(stack, "stack", name, title=" ", rows=[(item,) for item in boxes])


def pairs(boxes: Sequence[Box]) -> list[tuple[Box, ...]]:
    """Rows of two boxes; of an odd number, the first has a row of its own, because it has the most facts."""
    start = len(boxes) % 2
    rows = [tuple(boxes[index : index + 2]) for index in range(start, len(boxes), 2)]
    return [tuple(boxes[:start]), *rows] if start else rows


def identity(stack: str, kind: str, name: str) -> str:
    """The id of a box: `staging.database.database-main-instance`."""
    return ".".join(slug(part) for part in (stack, kind, name) if part)


def slug(text: str) -> str:
    """Text as a part of an id."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-") or "unnamed"


def enumerated(names: Sequence[str], most: int = _MAX_NAMES) -> str:
    """Names with commas; of many, the first and the number of the others."""
    shown = list(names) if len(names) <= most + 1 else [*names[:most], f"{len(names) - most} more"]
    return ", ".join(shown)


def plural(count: int, singular: str, many: str = "") -> str:
    """A count with its noun."""
    return f"{count} {singular if count == 1 else many or f'{singular}s'}"
