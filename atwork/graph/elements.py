"""Elements of an SVG document: text, icons, lines with rounded corners and arrowheads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from atwork.graph import text
from atwork.graph.model import ArrowKind
from atwork.graph.route import Point

Element = ET.Element

_CORNER_RADIUS = 5


def add(parent: Element, tag: str, attributes: Mapping[str, str]) -> Element:
    """Add an element."""
    return ET.SubElement(parent, tag, dict(attributes))


def add_text(
    parent: Element, tag: str, value: str, attributes: Mapping[str, str] | None = None, *, verbatim: bool = False
) -> Element:
    """Add an element with text, cleaned unless it is verbatim."""
    element = add(parent, tag, attributes or {})
    element.text = value if verbatim else text.clean(value)
    return element


def write(parent: Element, x: float, y: float, size: float, style: str, value: str) -> Element:
    """Add a line of text at its baseline."""
    attributes = {"x": number(x), "y": number(y), "font-size": number(size), "class": style}
    return add_text(parent, "text", value, attributes)


def icon(parent: Element, path: str, x: float, y: float, scale: float = 1.0) -> None:
    """Add an icon."""
    transform = f"translate({number(x)} {number(y)})" + (f" scale({scale})" if scale != 1.0 else "")
    add(parent, "path", {"class": "icon", "transform": transform, "d": path})


def arrow(parent: Element, kind: ArrowKind, points: Sequence[Point]) -> None:
    """Add a line with rounded corners, and an arrowhead that touches the border of the target."""
    (x, y), (previous_x, previous_y) = points[-1], points[-2]
    dx, dy = _sign(x - previous_x), _sign(y - previous_y)
    end = (x - dx * 5, y - dy * 5)
    add(parent, "path", {"class": f"way {kind}", "d": _rounded([*points[:-1], end])})
    base = [(x - dx * 8 + dy * 4, y - dy * 8 + dx * 4), (x - dx * 8 - dy * 4, y - dy * 8 - dx * 4)]
    corners = " ".join(f"{corner_x},{corner_y}" for corner_x, corner_y in ((x, y), *base))
    add(parent, "polygon", {"class": f"tip {kind}", "points": corners})


def number(value: float) -> str:
    """A number with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def _rounded(points: Sequence[Point]) -> str:
    """A path through points with rounded corners, smaller where the adjacent lines are short."""
    parts = [f"M{points[0][0]} {points[0][1]}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        (start_x, start_y), (end_x, end_y) = (_near(corner, neighbor) for neighbor in (before, after))
        parts.append(f"L{start_x} {start_y}Q{corner[0]} {corner[1]} {end_x} {end_y}")
    return "".join([*parts, f"L{points[-1][0]} {points[-1][1]}"])


def _near(corner: Point, neighbor: Point) -> Point:
    """The point on the line from a corner to its neighbor where the curve starts or ends."""
    (x, y), (neighbor_x, neighbor_y) = corner, neighbor
    length = abs(neighbor_x - x) + abs(neighbor_y - y)
    radius = min(_CORNER_RADIUS, length // 2)
    return (x + _sign(neighbor_x - x) * radius, y + _sign(neighbor_y - y) * radius)
