"""The layout: children are inside their parents, neighbors do not overlap, text fits, arrows go around boxes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.mocks import Recording
from support.pictures import declared

from atwork.graph import text
from atwork.graph.build import Picture, picture
from atwork.graph.layout import layout
from atwork.graph.model import Arrow, Box, BoxKind
from atwork.graph.placed import GRID, WIDTH, Placed
from atwork.graph.route import Point, Router

INNER: list[BoxKind] = ["network", "cluster", "jenkins", "pools", "registry"]
LEAF: list[BoxKind] = ["pool", "namespace", "database", "nat", "secrets", "keys", "control", "project"]
LETTERS = "aMWil0 <&>\"'/-.\x00\n\u00e9\u6f22\u202e\U0001f600"
seeds = st.integers(0, 2**32)


def name(random: Random) -> str:
    return "".join(random.choices(LETTERS, k=random.randint(1, 40)))


def box(random: Random, depth: int) -> Box:
    """A random box with nested boxes up to a depth."""
    has_children = depth > 0 and random.random() < 0.8
    rows = range(random.randint(1, 3)) if has_children else ()
    return Box(
        f"box{random.getrandbits(64)}",
        random.choice(INNER if has_children else LEAF),
        name(random),
        tuple(name(random) for _ in range(random.randint(0, 4))),
        rows=tuple(tuple(box(random, depth - 1) for _ in range(random.randint(1, 2))) for _ in rows),
        guarded=random.random() < 0.5,
    )


def cells(random: Random, count: int) -> tuple[Box, ...]:
    result: list[Box] = []
    for number in range(count):
        environment = Box(f"e{number}.{random.random()}", "environment", name(random), rows=((box(random, 3),),))
        result.append(Box(f"{environment.id}.cell", "cell", rows=((environment,),)))
    return tuple(result)


def are_apart(placed: Placed, other: Placed) -> bool:
    apart_in_x = placed.right <= other.x or other.right <= placed.x
    return apart_in_x or placed.bottom <= other.y or other.bottom <= placed.y


def check(result: Sequence[Placed], height: int) -> None:
    assert all(are_apart(*two) for two in combinations(result, 2))
    for placed in (inner for cell in result for inner in cell.walk()):
        assert placed.x % GRID == placed.y % GRID == placed.width % GRID == placed.height % GRID == 0
        assert placed.x >= 0
        assert placed.right <= WIDTH
        assert placed.bottom <= height
        assert all(are_apart(*two) for two in combinations(placed.children, 2)), placed.box.id
        for child in placed.children:
            assert placed.x <= child.x, child.box.id
            assert child.right <= placed.right, child.box.id
            assert placed.y + placed.head <= child.y, child.box.id
            assert child.bottom <= placed.bottom, child.box.id
        for line in placed.lines:
            assert line.x >= placed.x
            assert line.x + line.width <= placed.right, line.text
            assert line.y + 4 <= placed.y + placed.head, line.text
        first = [line for line in placed.lines if line.y == placed.lines[0].y]
        assert first[-1].x + first[-1].width <= placed.right - placed.badge_width if first else True
        for a, b in combinations(placed.lines, 2):
            assert a.y != b.y or a.x + a.width < b.x, (a.text, b.text)


@settings(max_examples=25, deadline=None)
@example(42689, "")  # a box too narrow for its icon and the shortest badge
@given(seeds, st.sampled_from(["", "+1", "~12 \u22121", "+100 ~100 ±100"]))
def test_nothing_overlaps_and_everything_is_inside(seed: int, badge: str) -> None:
    random = Random(seed)
    content = Picture(cells(random, random.randint(0, 2)), cells(random, random.randint(0, 5)), (), {})
    result, height = layout(
        content, {placed.id: (badge, "300") for placed in content.walk() if placed.kind != "cell"}, 40
    )
    check(result, height)


def crosses(placed: Placed, points: Sequence[Point]) -> bool:
    """Whether a line runs inside a box, not only along its border."""
    return any(
        max(min(ax, bx), placed.x + 1) <= min(max(ax, bx), placed.right - 1)
        and max(min(ay, by), placed.y + 1) <= min(max(ay, by), placed.bottom - 1)
        for (ax, ay), (bx, by) in pairwise(points)
    )


def on_border(placed: Placed, point: Point) -> bool:
    x, y = point
    apart_in_x = placed.x <= x <= placed.right and y in (placed.y, placed.bottom)
    return apart_in_x or (placed.y <= y <= placed.bottom and x in (placed.x, placed.right))


@pytest.mark.parametrize("stacks", [("ci", "staging", "production"), ("ci", "staging"), ("production",), ("ci",)])
def test_arrows_of_the_real_stacks_touch_their_ends_and_no_box_between(
    stacks: tuple[str, ...], recordings: dict[str, Recording]
) -> None:
    content = picture({stack: declared(stack, recordings[stack]) for stack in stacks})
    result, height = layout(content, {}, 40)
    check(result, height)
    router = Router(result, WIDTH, height)
    leaves = [placed for placed in router.boxes.values() if not placed.children]
    assert content.arrows
    for arrow in content.arrows:
        points = router.route(arrow)
        assert on_border(router.boxes[arrow.source], points[0]), arrow
        assert on_border(router.boxes[arrow.target], points[-1]), arrow
        assert [placed.box.id for placed in leaves if crosses(placed, points)] == [], arrow


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_every_arrow_is_drawn_whatever_is_in_its_way(seed: int) -> None:
    content = Picture(cells(Random(seed), 2), (), (), {})
    result, height = layout(content, {}, 40)
    router = Router(result, WIDTH, height)
    leaves = [name for name, placed in router.boxes.items() if not placed.children]
    for source, target in pairwise(leaves[:5]):
        points = router.route(Arrow("data", source, target))
        assert on_border(router.boxes[source], points[0])
        assert on_border(router.boxes[target], points[-1])
        assert all((a[0] == b[0]) != (a[1] == b[1]) for a, b in pairwise(points)), points


@given(seeds, st.integers(0, 400))
def test_text_is_cut_to_the_room_that_it_has(seed: int, room: int) -> None:
    content = text.clean(name(Random(seed)))
    cut = text.truncated(content, room, 12)
    assert text.width(cut, 12) <= room
    assert cut in ("", content) or cut.endswith("…")


def test_facts_are_broken_at_words_and_between_each_other() -> None:
    assert text.wrapped(["PostgreSQL 18", "private"], 400, 12) == ["PostgreSQL 18 · private"]
    assert text.wrapped(["PostgreSQL 18", "private"], 90, 12) == ["PostgreSQL", "18 · private"]
    assert text.wrapped(["europe-docker.pkg.dev/acme"], 170, 12) == ["europe-docker.pkg.dev/", "acme"]
    assert text.wrapped(["atwork-production"], 90, 12) == ["atwork-", "production"]
