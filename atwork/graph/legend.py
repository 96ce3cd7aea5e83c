"""The legend of a picture: the kinds of arrows, and the kinds of changes."""

from __future__ import annotations

from collections.abc import Sequence

from atwork.graph import icons, text
from atwork.graph.change_style import KINDS, order, sign, style
from atwork.graph.elements import Element, add, icon, write
from atwork.graph.model import ArrowKind
from atwork.graph.placed import FACT_SIZE, MARGIN

ARROWS: dict[ArrowKind, str] = {
    "images": "images",
    "deploys": "deploys to",
    "data": "logs in to data",
    "secrets": "reads secrets",
    "people": "reaches the control plane",
    "internet": "to the internet",
}
"""Labels of the kinds of arrows."""


def arrows(root: Element, kinds: Sequence[ArrowKind]) -> None:
    """Add the kinds of arrows in the picture."""
    group = add(root, "g", {"class": "legend"})
    x, y = MARGIN, 20
    for kind in kinds:
        label = ARROWS[kind]
        add(group, "path", {"class": f"way {kind}", "d": f"M{x} {y - 4}h17"})
        add(group, "polygon", {"class": f"tip {kind}", "points": f"{x + 24},{y - 4} {x + 16},{y - 8} {x + 16},{y}"})
        write(group, x + 30, y, FACT_SIZE, "fact", label)
        x += 42 + int(text.width(label, FACT_SIZE))
    icon(group, icons.LOCK, x, y - 10.5, scale=0.8)
    write(group, x + 18, y, FACT_SIZE, "fact", "guarded")


def changes(root: Element, kinds: set[str]) -> None:
    """Add the kinds of changes in the picture."""
    group = add(root, "g", {"class": "legend"})
    x, y = MARGIN, 44
    if not kinds:
        write(group, x, y, FACT_SIZE, "fact", "Nothing changes.")
    for kind in sorted(kinds, key=order):
        mark = {"x": str(x), "y": str(y - 13), "width": "20", "height": "18", "rx": "9", "class": f"mark {style(kind)}"}
        add(group, "rect", mark)
        write(group, x + 6, y, FACT_SIZE, "badge", sign(kind))
        label = KINDS.get(kind, kind)
        write(group, x + 26, y, FACT_SIZE, "fact", label)
        x += 42 + int(text.width(label, FACT_SIZE))
