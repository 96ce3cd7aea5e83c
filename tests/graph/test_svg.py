"""The document: valid, deterministic, self-contained, and safe from injected markup."""

from __future__ import annotations

import re
from random import Random

import pytest
from support.mocks import Recording
from support.pictures import CLUSTER, NAMESPACE, declared, parsed, resource

from atwork.graph.draw import draw
from atwork.graph.resources import StackResource

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "</text><script>alert(1)</script>&\"'<\x00\x1b\u202e\ud800]]>"


def test_the_order_of_resources_does_not_matter(recordings: dict[str, Recording]) -> None:
    resources = declared("staging", recordings["staging"])
    first = draw({"staging": resources})
    for seed in range(3):
        shuffled = Random(seed).sample(resources, len(resources))
        assert draw({"staging": shuffled}) == first


def test_the_document_describes_the_picture(recordings: dict[str, Recording]) -> None:
    root = parsed(draw({stack: declared(stack, recordings[stack]) for stack in recordings}))
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert title.text == "Topology of ci, staging and production"
    for part in ("GKE atwork-production", "Cloud SQL main: PostgreSQL 18", "Artifact Registry", "Jenkins"):
        assert part in (description.text or "")
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    urns = {urn for element in root.iter() for urn in (element.get("data-urn") or "").split()}
    assert any(urn.endswith("::database-main-instance") for urn in urns)


def test_it_needs_nothing_from_outside(recordings: dict[str, Recording]) -> None:
    svg = draw({"ci": declared("ci", recordings["ci"])})
    assert re.findall(r"(?:href|src)=|url\(|@import|<script|@font-face", svg) == []
    assert re.findall(r"https?://[^\"< ]*", svg) == ["http://www.w3.org/2000/svg"]
    assert "prefers-color-scheme: dark" in svg


def test_every_class_has_a_style_and_every_style_is_used_by_the_code(recordings: dict[str, Recording]) -> None:
    svg = draw({stack: declared(stack, recordings[stack]) for stack in recordings})
    style = svg[svg.index("<style>") : svg.index("</style>")]
    used = set(re.findall(r"var\((--[a-z-]+)\)", style))
    light, _, dark = style.partition("prefers-color-scheme")
    set_light = set(re.findall(r"(--[a-z-]+):", light))
    assert used <= set_light
    assert set(re.findall(r"(--[a-z-]+):", dark[: dark.index("font") if "font" in dark else None])) == set_light


@pytest.mark.parametrize("stack", ["staging", NASTY])
def test_text_cannot_break_out(stack: str) -> None:
    resources = [
        resource(CLUSTER, NASTY, {"name": NASTY, "location": NASTY}),
        resource(NAMESPACE, "n", {"metadata": {"name": NASTY, "labels": {"owner": NASTY}}}),
        StackResource(NASTY, CLUSTER),
    ]
    svg = draw({stack: resources}, {stack: {NASTY: NASTY}})
    assert "<script" not in svg
    root = parsed(svg)
    assert not list(root.iter(f"{SVG}script"))
    assert "\x00" not in svg


def test_a_stack_of_nothing_says_so() -> None:
    svg = draw({"demo": []})
    parsed(svg)
    assert "Nothing is up" in svg
    assert "Topology of nothing" in draw({})
