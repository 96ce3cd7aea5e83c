"""The picture in viewers: librsvg, which knows no variables of CSS, draws the colors of light mode."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support import png
from support.pictures import CLUSTER, parsed, resource
from support.programs import need

from atwork.graph.colors import theme
from atwork.graph.draw import draw
from atwork.toolchain.machine import PROGRAMS

FILE = Path(__file__).parents[2] / "docs" / "topology.svg"
SVG = "{http://www.w3.org/2000/svg}"


def frame(root: ET.Element, name: str) -> tuple[float, float]:
    """A point of the frame of a box, inside its left and upper corner and before its texts."""
    [group] = [element for element in root.iter(f"{SVG}g") if element.get("id") == name]
    rect = group.find(f"{SVG}rect")
    assert rect is not None
    return float(rect.get("x", "")) + 5, float(rect.get("y", "")) + 12


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> png.Image:
    """docs/topology.svg as librsvg draws it."""
    need("rsvg-convert")
    target = tmp_path_factory.mktemp("picture") / "topology.png"
    subprocess.run([str(PROGRAMS["rsvg-convert"].path), str(FILE), "--output", str(target)], check=True)
    return png.decode(target.read_bytes())


@pytest.mark.parametrize(
    ("name", "color"),
    [
        ("ci", "environment"),
        ("staging.network.network-vpc", "network"),
        ("production.cluster.cluster-cluster", "cluster"),
        ("staging.database.database-main-instance", "leaf"),
        ("production.redis.redis-orders-instance", "leaf"),
        ("ci.repository.registry-services", "inner"),
    ],
)
def test_boxes_have_the_colors_of_their_kinds(drawn: png.Image, name: str, color: str) -> None:
    root = parsed(FILE.read_text())
    ids = [element.get("id", "") for element in root.iter(f"{SVG}g") if element.get("id")]
    place = name if name in ids else next(known for known in ids if known.startswith(name))
    assert drawn.color(*frame(root, place)) == theme().light[color]


def test_the_ground_is_light_and_the_lines_have_their_colors(drawn: png.Image) -> None:
    colors = theme().light
    assert drawn.color(drawn.width / 2, 3) == colors["ground"]
    seen = {drawn.color(x, y) for y in range(drawn.height) for x in range(0, drawn.width, 2)}
    assert {colors[name] for name in ("images", "deploys", "data", "secrets", "line", "ink")} <= seen
    assert "#000000" not in seen


def test_every_element_has_its_color_as_an_attribute() -> None:
    svg = draw({"demo": [resource(CLUSTER, "c", {"name": "c"})]}, {"demo": {"urn:x": "create", "urn:y": "strange"}})
    root = parsed(svg)
    assert "var(" not in svg
    drawn = [element for element in root.iter() if element.tag.removeprefix(SVG) in ("rect", "path", "polygon", "text")]
    assert len(drawn) > 20
    assert [element.get("class") for element in drawn if "fill" not in element.attrib] == []


def test_dark_mode_replaces_every_color_of_the_palette() -> None:
    colors, sheet = theme(), theme().sheet()
    light, _, dark = sheet.partition("@media (prefers-color-scheme: dark)")
    assert re.findall(r"#[0-9a-f]{6}", light) == []
    assert set(re.findall(r"#[0-9a-f]{6}", dark)) <= set(colors.dark.values())
    assert colors.light.keys() == colors.dark.keys()
    named = {value for rule in colors.rules for value in rule.attributes.values()}
    assert colors.light.keys() <= named, "a color that no rule uses"
    assert all(re.fullmatch(r"#[0-9a-f]{6}", value) for value in (*colors.light.values(), *colors.dark.values()))
