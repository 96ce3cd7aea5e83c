"""Places: children are inside their parents, neighbours apart, text inside its box, arrows around what is in their way."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.mocks import Recording
from support.pictures import declared

from atwork.graph import text
from atwork.graph.build import Picture, picture
from atwork.graph.layout import GRID, WIDTH, Placed, placed
from atwork.graph.model import Arrow, Box, BoxKind
from atwork.graph.route import Point, Router

INNER: list[BoxKind] = ["network", "cluster", "jenkins", "pools", "registry"]
LEAF: list[BoxKind] = ["pool", "namespace", "database", "nat", "secrets", "keys", "control", "project"]
LETTERS = "aMWil0 <&>\"'/-.\x00\n\u00e9\u6f22\u202e\U0001f600"
seeds = st.integers(0, 2**32)


def name(random: Random) -> str:
    return "".join(random.choices(LETTERS, k=random.randint(1, 40)))


def box(random: Random, depth: int) -> Box:
    """Any box, with others inside it as deep as is asked for."""
    deep = depth > 0 and random.random() < 0.8
    rows = range(random.randint(1, 3)) if deep else ()
    return Box(
        f"box{random.getrandbits(64)}",
        random.choice(INNER if deep else LEAF),
        name(random),
        tuple(name(random) for _ in range(random.randint(0, 4))),
        rows=tuple(tuple(box(random, depth - 1) for _ in range(random.randint(1, 2))) for _ in rows),
        guarded=random.random() < 0.5,
    )


def cells(random: Random, count: int) -> tuple[Box, ...]:
    found: list[Box] = []
    for number in range(count):
        environment = Box(f"e{number}.{random.random()}", "environment", name(random), rows=((box(random, 3),),))
        found.append(Box(f"{environment.id}.cell", "cell", rows=((environment,),)))
    return tuple(found)


def apart(one: Placed, other: Placed) -> bool:
    beside = one.right <= other.x or other.right <= one.x
    return beside or one.bottom <= other.y or other.bottom <= one.y


def check(found: Sequence[Placed], height: int) -> None:
    assert all(apart(*two) for two in combinations(found, 2))
    for one in (inner for cell in found for inner in cell.walk()):
        assert one.x % GRID == one.y % GRID == one.width % GRID == one.height % GRID == 0
        assert one.x >= 0
        assert one.right <= WIDTH
        assert one.bottom <= height
        assert all(apart(*two) for two in combinations(one.children, 2)), one.box.id
        for child in one.children:
            assert one.x <= child.x, child.box.id
            assert child.right <= one.right, child.box.id
            assert one.y + one.head <= child.y, child.box.id
            assert child.bottom <= one.bottom, child.box.id
        for line in one.lines:
            assert line.x >= one.x
            assert line.x + line.width <= one.right, line.text
            assert line.y + 4 <= one.y + one.head, line.text
        first = [line for line in one.lines if line.y == one.lines[0].y]
        assert first[-1].x + first[-1].width <= one.right - one.badge_width if first else True
        for a, b in combinations(one.lines, 2):
            assert a.y != b.y or a.x + a.width < b.x, (a.text, b.text)


@settings(max_examples=25, deadline=None)
@given(seeds, st.sampled_from(["", "+1", "~12 \u22121", "+100 ~100 ±100"]))
def test_nothing_overlaps_and_everything_is_inside(seed: int, badge: str) -> None:
    random = Random(seed)
    whole = Picture(cells(random, random.randint(0, 2)), cells(random, random.randint(0, 5)), (), {})
    found, height = placed(whole, {one.id: (badge, "300") for one in whole.walk() if one.kind != "cell"}, 40)
    check(found, height)


def through(one: Placed, way: Sequence[Point]) -> bool:
    """Whether a line runs inside of a box, more than along its border."""
    return any(
        max(min(ax, bx), one.x + 1) <= min(max(ax, bx), one.right - 1)
        and max(min(ay, by), one.y + 1) <= min(max(ay, by), one.bottom - 1)
        for (ax, ay), (bx, by) in pairwise(way)
    )


def on_border(one: Placed, point: Point) -> bool:
    x, y = point
    beside = one.x <= x <= one.right and y in (one.y, one.bottom)
    return beside or (one.y <= y <= one.bottom and x in (one.x, one.right))


@pytest.mark.parametrize("stacks", [("ci", "staging", "production"), ("ci", "staging"), ("production",), ("ci",)])
def test_arrows_of_the_real_stacks_touch_their_ends_and_no_box_between(
    stacks: tuple[str, ...], recordings: dict[str, Recording]
) -> None:
    whole = picture({stack: declared(stack, recordings[stack]) for stack in stacks})
    found, height = placed(whole, {}, 40)
    check(found, height)
    router = Router(found, WIDTH, height)
    leaves = [one for one in router.boxes.values() if not one.children]
    assert whole.arrows
    for arrow in whole.arrows:
        way = router.way(arrow)
        assert on_border(router.boxes[arrow.source], way[0]), arrow
        assert on_border(router.boxes[arrow.target], way[-1]), arrow
        assert [one.box.id for one in leaves if through(one, way)] == [], arrow


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_every_arrow_is_drawn_whatever_is_in_its_way(seed: int) -> None:
    whole = Picture(cells(Random(seed), 2), (), (), {})
    found, height = placed(whole, {}, 40)
    router = Router(found, WIDTH, height)
    leaves = [name for name, one in router.boxes.items() if not one.children]
    for source, target in pairwise(leaves[:5]):
        way = router.way(Arrow("data", source, target))
        assert on_border(router.boxes[source], way[0])
        assert on_border(router.boxes[target], way[-1])
        assert all((a[0] == b[0]) != (a[1] == b[1]) for a, b in pairwise(way)), way


@given(seeds, st.integers(0, 400))
def test_text_is_cut_to_the_room_that_it_has(seed: int, room: int) -> None:
    whole = text.clean(name(Random(seed)))
    cut = text.fitted(whole, room, 12)
    assert text.width(cut, 12) <= room
    assert cut in ("", whole) or cut.endswith("…")


def test_facts_are_broken_at_words_and_between_each_other() -> None:
    assert text.lines(["PostgreSQL 18", "private"], 400, 12) == ["PostgreSQL 18 · private"]
    assert text.lines(["PostgreSQL 18", "private"], 90, 12) == ["PostgreSQL", "18 · private"]
    assert text.lines(["europe-docker.pkg.dev/acme"], 170, 12) == ["europe-docker.pkg.dev/", "acme"]
    assert text.lines(["atwork-production"], 90, 12) == ["atwork-", "production"]
