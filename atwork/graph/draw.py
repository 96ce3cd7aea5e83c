"""Draw the topology of stacks as one picture, with changes in color."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from atwork.graph import svg
from atwork.graph.build import Picture, picture
from atwork.graph.change_style import order, sign
from atwork.graph.layout import layout
from atwork.graph.marks import Marks, marks
from atwork.graph.placed import WIDTH
from atwork.graph.resources import StackResource, with_changes
from atwork.graph.route import Router
from atwork.report.model import StackReport
from infra.stack_name import StackName

Changes = Mapping[str, Mapping[str, str]]
"""Kind of change by stack and URN."""


def draw(stacks: Mapping[str, Sequence[StackResource]], changes: Changes | None = None) -> str:
    """The picture as SVG; `changes` determines colors, also of resources that do not exist yet."""
    stacks = {**stacks, **{stack: () for stack in changes or () if stack not in stacks}}
    content = picture(stacks)
    box_marks: Marks = {}
    for stack, cell in content.of_stack.items():
        box_marks |= marks(cell, stacks[stack], (changes or {}).get(stack, {}))
    environments = {box.id for box in content.walk() if box.kind == "environment"}
    badges = {name: _badge(counts, is_environment=name in environments) for name, counts in box_marks.items()}
    cells, height = layout(content, badges, top=40 if changes is None else 64)
    router = Router(cells, WIDTH, height)
    routes = {arrow: route for arrow in content.arrows if (route := router.route(arrow))}
    title = f"Topology of {_enumerated(list(stacks))}"
    return svg.render(title, _description(content), cells, routes, box_marks, height, changes=changes is not None)


def for_reports(reports: Sequence[StackReport], states: Mapping[str, Sequence[StackResource]]) -> str:
    """The environments of reports with their changes; the stacks of groups are drawn in their environment.

    `states` has the current resources of each stack, and none of a new stack.
    """
    resources: dict[str, list[StackResource]] = {}
    changes: dict[str, dict[str, str]] = {}
    for report in reports:
        environment = StackName.parse(report.stack).environment
        resources.setdefault(environment, []).extend(with_changes(states.get(report.stack, ()), report.changes))
        changes.setdefault(environment, {}).update({change.urn: change.kind for change in report.changes})
    return draw(resources, changes)


def _badge(counts: Mapping[str, int], *, is_environment: bool) -> tuple[str, ...]:
    """The texts of a badge: the count of each kind, and a shorter one with the total."""
    details = " ".join(f"{sign(kind)}{counts[kind]}" for kind in sorted(counts, key=order))
    forms = (details, str(sum(counts.values())))
    return (f"and {details} elsewhere", *forms) if is_environment else forms


def _enumerated(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1] if names else "nothing") if part)


def _description(content: Picture) -> str:
    kinds = ("environment", "cluster", "database", "registry", "jenkins")
    return "; ".join(
        ": ".join(filter(None, (box.title, ", ".join(box.facts)))) for box in content.walk() if box.kind in kinds
    )
