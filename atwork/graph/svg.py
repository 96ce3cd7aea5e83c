"""The picture as SVG: one file that needs nothing else, the same to the byte for the same resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from xml.etree import ElementTree as ET

from atwork.graph import icons, text
from atwork.graph.layout import FACT, GAP, MARGIN, WIDTH, Placed
from atwork.graph.marks import Marks, worst
from atwork.graph.model import Arrow, ArrowKind, BoxKind
from atwork.graph.route import Point

Element = ET.Element

_LEGEND: dict[ArrowKind, str] = {
    "images": "images", "deploys": "deploys to", "data": "database login", "secrets": "reads secrets",
    "people": "reaches the control plane", "internet": "to the internet",
}  # fmt: skip
KINDS = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted", "guard": "protection"}
SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "\u2212", "guard": "!"}
"""As in the report; a protection is `!`, for not every font has a lock."""

_RADIUS: dict[BoxKind, int] = {"environment": 10, "outside": 12, "pool": 5, "repository": 5}


def sign(kind: str) -> str:
    """The sign of a kind of change."""
    return SIGNS.get(kind, "?")


def order(kind: str) -> tuple[int, str]:
    """To sort kinds by."""
    known = list(SIGNS)
    return (known.index(kind) if kind in known else len(known), kind)


def colour(kind: str) -> str:
    """The class that colours a kind of change."""
    return kind if kind in KINDS else "other"


def render(
    title: str, description: str, cells: Sequence[Placed], ways: Mapping[Arrow, Sequence[Point]], marks: Marks,
    height: int, *, changes: bool,
) -> str:  # fmt: skip
    """The document. `marks` colours boxes by their ids."""
    root = ET.Element("svg", {
        "xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {WIDTH} {height}", "width": str(WIDTH),
        "height": str(height), "class": "atwork-topology", "role": "img", "aria-label": text.clean(title),
    })  # fmt: skip
    _text(root, "title", title)
    _text(root, "desc", description)
    _text(root, "style", (files("atwork.graph") / "topology.css").read_text().strip(), keep=True)
    _of(root, "rect", {"class": "ground", "width": str(WIDTH), "height": str(height), "rx": "12"})
    _legend(root, [kind for kind in _LEGEND if any(arrow.kind == kind for arrow in ways)])
    if changes:
        _colours(root, {kind for counts in marks.values() for kind in counts})
    for cell in cells:
        _box(root, cell, marks)
    for arrow, points in ways.items():
        _way(root, arrow, points)
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode", short_empty_elements=True) + "\n"


def _of(parent: Element, tag: str, attributes: Mapping[str, str]) -> Element:
    return ET.SubElement(parent, tag, dict(attributes))


def _text(
    parent: Element, tag: str, value: str, attributes: Mapping[str, str] | None = None, *, keep: bool = False
) -> Element:
    made = _of(parent, tag, attributes or {})
    made.text = value if keep else text.clean(value)
    return made


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _write(parent: Element, x: float, y: float, size: float, style: str, value: str) -> Element:
    place = {"x": _number(x), "y": _number(y), "font-size": _number(size), "class": style}
    return _text(parent, "text", value, place)


def _box(parent: Element, one: Placed, marks: Marks) -> None:
    box = one.box
    counts = marks.get(box.id)
    if box.kind in ("cell", "stack"):
        group = parent
    else:
        mark = f" {worst(counts)}" if counts else ""
        nature = "" if box.rows else " leaf"
        found = {"id": box.id, "class": f"box {box.kind}{nature}{mark}"}
        if box.urns:
            found["data-urn"] = text.clean(" ".join(box.urns))
        if counts:
            found["data-changes"] = " ".join(f"{text.clean(kind)}:{count}" for kind, count in sorted(counts.items()))
        group = _of(parent, "g", found)
        _text(group, "title", ": ".join(part for part in (box.title, ", ".join(box.facts)) if part))
        radius = str(_RADIUS.get(box.kind, 7))
        _of(group, "rect", {
            "x": f"{one.x + 0.5}", "y": f"{one.y + 0.5}", "width": str(one.width - 1), "height": str(one.height - 1),
            "rx": radius, "class": "frame",
        })  # fmt: skip
        _inside(group, one)
    for child in one.children:
        _box(group, child, marks)


def _inside(group: Element, one: Placed) -> None:
    box = one.box
    if not one.lines:
        return
    first, rest = one.lines[0], one.lines[1:]
    written = _write(group, first.x, first.y, first.size, first.style, first.text)
    for line in rest:
        if line.y == first.y:
            # In the same element, so that the gap is the same in every font.
            _text(written, "tspan", line.text, {"dx": str(GAP), "font-size": _number(line.size), "class": line.style})
        else:
            _write(group, line.x, line.y, line.size, line.style, line.text)
    path = icons.OUTSIDE.get(box.id.rpartition(".")[2] if box.kind == "outside" else "") or icons.ICONS.get(box.kind)
    if path:
        _icon(group, path, first.x - 22, first.y - 12.5)
    if box.guarded:
        _icon(group, icons.LOCK, one.right - one.badge_width - 22, first.y - 10.5, scale=0.8)
    if one.badge:
        wide = one.badge_width - 4
        x, y = one.right - wide - (28 if box.kind == "environment" else 4), one.y + 3
        kind = group.get("class", "").rpartition(" ")[2]
        _of(
            group,
            "rect",
            {"x": str(x), "y": str(y), "width": str(wide), "height": "18", "rx": "9", "class": f"mark {kind}"},
        )
        _write(group, x + 6, y + 13, FACT, "badge", one.badge)


def _icon(group: Element, path: str, x: float, y: float, scale: float = 1.0) -> None:
    place = f"translate({_number(x)} {_number(y)})" + (f" scale({scale})" if scale != 1.0 else "")
    _of(group, "path", {"class": "icon", "transform": place, "d": path})


def _way(root: Element, arrow: Arrow, points: Sequence[Point]) -> None:
    """A line with round corners, and a tip that touches the border of its target."""
    group = _of(root, "g", {"data-from": arrow.source, "data-to": arrow.target})
    _text(group, "title", f"{arrow.source} {_LEGEND[arrow.kind]} {arrow.target}")
    (x, y), (before_x, before_y) = points[-1], points[-2]
    dx, dy = _sign(x - before_x), _sign(y - before_y)
    end = (x - dx * 5, y - dy * 5)
    _of(group, "path", {"class": f"way {arrow.kind}", "d": _round([*points[:-1], end])})
    base = [(x - dx * 8 + dy * 4, y - dy * 8 + dx * 4), (x - dx * 8 - dy * 4, y - dy * 8 - dx * 4)]
    corners = " ".join(f"{px},{py}" for px, py in ((x, y), *base))
    _of(group, "polygon", {"class": f"tip {arrow.kind}", "points": corners})


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def _round(points: Sequence[Point]) -> str:
    """A path through points whose corners are rounded, as far as the lines beside them are long."""
    parts = [f"M{points[0][0]} {points[0][1]}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        near = []
        for other in (before, after):
            length = abs(other[0] - corner[0]) + abs(other[1] - corner[1])
            reach = min(5, length // 2)
            near.append(
                (corner[0] + _sign(other[0] - corner[0]) * reach, corner[1] + _sign(other[1] - corner[1]) * reach)
            )
        parts.append(f"L{near[0][0]} {near[0][1]}Q{corner[0]} {corner[1]} {near[1][0]} {near[1][1]}")
    return "".join([*parts, f"L{points[-1][0]} {points[-1][1]}"])


def _legend(root: Element, kinds: Sequence[ArrowKind]) -> None:
    """What the lines mean."""
    group = _of(root, "g", {"class": "legend"})
    x, y = MARGIN, 20
    for kind in kinds:
        label = _LEGEND[kind]
        _of(group, "path", {"class": f"way {kind}", "d": f"M{x} {y - 4}h17"})
        _of(group, "polygon", {"class": f"tip {kind}", "points": f"{x + 24},{y - 4} {x + 16},{y - 8} {x + 16},{y}"})
        _write(group, x + 30, y, FACT, "fact", label)
        x += 42 + int(text.width(label, FACT))
    _icon(group, icons.LOCK, x, y - 10.5, scale=0.8)
    _write(group, x + 18, y, FACT, "fact", "guarded")


def _colours(root: Element, kinds: set[str]) -> None:
    """What the colours of changes mean: those that there are."""
    group = _of(root, "g", {"class": "legend"})
    x, y = MARGIN, 44
    if not kinds:
        _write(group, x, y, FACT, "fact", "Nothing changes.")
    for kind in sorted(kinds, key=order):
        mark = colour(kind)
        _of(group, "rect", {
            "x": str(x), "y": str(y - 13), "width": "20", "height": "18", "rx": "9", "class": f"mark {mark}",
        })  # fmt: skip
        _write(group, x + 6, y, FACT, "badge", sign(kind))
        label = KINDS.get(kind, kind)
        _write(group, x + 26, y, FACT, "fact", label)
        x += 42 + int(text.width(label, FACT))
