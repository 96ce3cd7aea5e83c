"""The picture as one SVG file without external references; equal resources give equal bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from atwork.graph import icons, legend, text
from atwork.graph.colors import FAMILY, theme
from atwork.graph.elements import Element, add, add_text, arrow, icon, number, write
from atwork.graph.marks import Marks, worst
from atwork.graph.model import Arrow, BoxKind
from atwork.graph.placed import FACT_SIZE, GAP, WIDTH, Placed
from atwork.graph.route import Point

_RADIUS: dict[BoxKind, int] = {"environment": 10, "outside": 12, "pool": 5, "repository": 5}
_DEFAULT_RADIUS = 7


def render(
    title: str,
    description: str,
    cells: Sequence[Placed],
    routes: Mapping[Arrow, Sequence[Point]],
    marks: Marks,
    height: int,
    *,
    changes: bool,
) -> str:
    """The document; `marks` determines the colors of boxes by their ids."""
    attributes = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {WIDTH} {height}",
        "width": str(WIDTH),
        "height": str(height),
        "class": "atwork-topology",
        "font-family": FAMILY,
        "role": "img",
        "aria-label": text.clean(title),
    }
    root = ET.Element("svg", attributes)
    add_text(root, "title", title)
    add_text(root, "desc", description)
    colors = theme()
    add_text(root, "style", colors.sheet(), verbatim=True)
    add(root, "rect", {"class": "ground", "width": str(WIDTH), "height": str(height), "rx": "12"})
    legend.arrows(root, [kind for kind in legend.ARROWS if any(item.kind == kind for item in routes)])
    if changes:
        legend.changes(root, {kind for counts in marks.values() for kind in counts})
    for cell in cells:
        _add_box(root, cell, marks)
    for item, points in routes.items():
        group = add(root, "g", {"data-from": item.source, "data-to": item.target})
        add_text(group, "title", f"{item.source} {legend.ARROWS[item.kind]} {item.target}")
        arrow(group, item.kind, points)
    colors.apply(root)
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode", short_empty_elements=True) + "\n"


def _add_box(parent: Element, placed: Placed, marks: Marks) -> None:
    group = parent if placed.box.kind in ("cell", "stack") else _add_frame(parent, placed, marks)
    for child in placed.children:
        _add_box(group, child, marks)


def _add_frame(parent: Element, placed: Placed, marks: Marks) -> Element:
    box = placed.box
    counts = marks.get(box.id)
    mark = f" {worst(counts)}" if counts else ""
    leaf = "" if box.rows else " leaf"
    attributes = {"id": box.id, "class": f"box {box.kind}{leaf}{mark}"}
    if box.urns:
        attributes["data-urn"] = text.clean(" ".join(box.urns))
    if counts:
        attributes["data-changes"] = " ".join(f"{text.clean(kind)}:{count}" for kind, count in sorted(counts.items()))
    group = add(parent, "g", attributes)
    add_text(group, "title", ": ".join(part for part in (box.title, ", ".join(box.facts)) if part))
    frame = {
        "x": f"{placed.x + 0.5}",
        "y": f"{placed.y + 0.5}",
        "width": str(placed.width - 1),
        "height": str(placed.height - 1),
        "rx": str(_RADIUS.get(box.kind, _DEFAULT_RADIUS)),
        "class": "frame",
    }
    add(group, "rect", frame)
    _add_texts(group, placed)
    return group


def _add_texts(group: Element, placed: Placed) -> None:
    box = placed.box
    if not placed.lines:
        return
    first, others = placed.lines[0], placed.lines[1:]
    title = write(group, first.x, first.y, first.size, first.style, first.text)
    for line in others:
        if line.y == first.y:
            # In the same element, so that the gap is the same in every font.
            attributes = {"dx": str(GAP), "font-size": number(line.size), "class": line.style}
            add_text(title, "tspan", line.text, attributes)
        else:
            write(group, line.x, line.y, line.size, line.style, line.text)
    outside = icons.OUTSIDE.get(box.id.rpartition(".")[2] if box.kind == "outside" else "")
    if path := outside or icons.ICONS.get(box.kind):
        icon(group, path, first.x - 22, first.y - 12.5)
    if box.guarded:
        icon(group, icons.LOCK, placed.right - placed.badge_width - 22, first.y - 10.5, scale=0.8)
    if placed.badge:
        _add_badge(group, placed)


def _add_badge(group: Element, placed: Placed) -> None:
    width = placed.badge_width - 4
    x, y = placed.right - width - (28 if placed.box.kind == "environment" else 4), placed.y + 3
    kind = group.get("class", "").rpartition(" ")[2]
    mark = {"x": str(x), "y": str(y), "width": str(width), "height": "18", "rx": "9", "class": f"mark {kind}"}
    add(group, "rect", mark)
    write(group, x + 6, y + 13, FACT_SIZE, "badge", placed.badge)
