"""The topology of stacks as one picture, with what changes coloured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from atwork.graph import svg
from atwork.graph.build import Picture, picture
from atwork.graph.layout import WIDTH, placed
from atwork.graph.marks import Marks, marks
from atwork.graph.resources import Resource, with_changes
from atwork.graph.route import Router
from atwork.report.model import StackReport

Changes = Mapping[str, Mapping[str, str]]
"""Kind of change by stack and URN."""


def draw(stacks: Mapping[str, Sequence[Resource]], changes: Changes | None = None) -> str:
    """The picture as SVG; `changes` colours boxes, also those of resources that are not there yet."""
    stacks = {**stacks, **{stack: () for stack in changes or () if stack not in stacks}}
    whole = picture(stacks)
    shown: Marks = {}
    for stack, cell in whole.of_stack.items():
        shown |= marks(cell, stacks[stack], (changes or {}).get(stack, {}))
    environments = {box.id for box in whole.walk() if box.kind == "environment"}
    badges = {one: _badge(found, elsewhere=one in environments) for one, found in shown.items()}
    cells, height = placed(whole, badges, top=40 if changes is None else 64)
    router = Router(cells, WIDTH, height)
    ways = {arrow: way for arrow in whole.arrows if (way := router.way(arrow))}
    title = f"Topology of {_words(list(stacks))}"
    return svg.render(title, _described(whole), cells, ways, shown, height, changes=changes is not None)


def for_reports(reports: Sequence[StackReport], states: Mapping[str, Sequence[Resource]]) -> str:
    """The stacks of reports with their changes; `states` has what is there now, and nothing of a new stack."""
    stacks = {one.stack: with_changes(states.get(one.stack, ()), one.changes) for one in reports}
    return draw(stacks, {one.stack: {change.urn: change.kind for change in one.changes} for one in reports})


def _badge(found: Mapping[str, int], *, elsewhere: bool) -> tuple[str, ...]:
    """Counts of each kind, or of all together where there is no room for more."""
    counts = " ".join(f"{svg.sign(kind)}{found[kind]}" for kind in sorted(found, key=svg.order))
    forms = (counts, str(sum(found.values())))
    return (f"and {counts} elsewhere", *forms) if elsewhere else forms


def _words(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1] if names else "nothing") if part)


def _described(whole: Picture) -> str:
    shown = ("environment", "cluster", "database", "registry", "jenkins")
    return "; ".join(
        ": ".join(filter(None, (box.title, ", ".join(box.facts)))) for box in whole.walk() if box.kind in shown
    )
