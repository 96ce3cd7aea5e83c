"""Resources as plain data: from a stack's state, and from the changes that a preview found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from atwork.engine.urn import name_of, without_name
from atwork.engine.wire import SECRET, UNKNOWN
from atwork.report.model import Change

STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Resource:
    """One resource: what it is, what it was asked to be, and whose child it is."""

    urn: str
    type: str
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    parent: str = ""
    """URN of the component that made it; empty for what the program itself declares."""

    @property
    def name(self) -> str:
        """The logical name."""
        return name_of(self.urn)

    def at(self, path: str) -> object:
        """What the inputs hold there; None where there is nothing, a secret, or what is not known yet."""
        value: object = self.inputs
        for key in path.split("."):
            value = _inside(value).get(key)
        return None if SECRET in _inside(value) or value == UNKNOWN else value

    def text(self, path: str) -> str:
        """Text or a number there; empty where there is none."""
        value = self.at(path)
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""

    def on(self, path: str) -> bool:
        """Whether a switch there is on; providers say it as a word now and then."""
        return self.at(path) in (True, "true", "TRUE")

    def listed(self, path: str) -> list[Resource]:
        """The objects of a list there, each with the same ways to ask."""
        value = self.at(path)
        items = cast("list[object]", value) if isinstance(value, list) else []
        return [Resource(self.urn, self.type, _inside(item), self.parent) for item in items]


def _inside(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def of_state(deployment: Mapping[str, Any]) -> list[Resource]:
    """What a deployment consists of, without what only waits for its deletion."""
    return [
        Resource(
            urn=str(one["urn"]),
            type=str(one["type"]),
            inputs=one.get("inputs") or {},
            parent="" if f"::{STACK}::" in str(one.get("parent", "")) else str(one.get("parent", "")),
        )
        for one in deployment.get("resources") or ()
        if one["type"] != STACK and not one.get("delete")
    ]


def with_changes(resources: Sequence[Resource], changes: Sequence[Change]) -> list[Resource]:
    """The resources under their new names, and those that the changes would create.

    A report has the types and names of what is new, and not its inputs.
    """
    names = {change.renamed_from: change.urn for change in changes if change.renamed_from}
    there = [
        Resource(names.get(one.urn, one.urn), one.type, one.inputs, names.get(one.parent, one.parent))
        for one in resources
    ]
    known = {one.urn for one in there}
    new = [Resource(change.urn, change.type) for change in changes if change.urn not in known]
    every = [*there, *new]
    return [*there, *(Resource(one.urn, one.type, {}, parent_of(one.urn, every)) for one in new)]


def parent_of(urn: str, resources: Iterable[Resource]) -> str:
    """URN of the component that a resource belongs to; empty where there is none.

    A URN holds the types of all its parents and no name of theirs. Of several components of the type, the one whose
    name begins the resource's name is the parent: names are `<component>-<role>-<key>`.
    """
    name, chain = name_of(urn), without_name(urn).rpartition("$")[0]
    found = [one for one in resources if without_name(one.urn) == chain] if chain else []
    named = [one for one in found if name == one.name or name.startswith(f"{one.name}-")]
    best = max(named, key=lambda one: (len(one.name), one.urn), default=found[0] if len(found) == 1 else None)
    return best.urn if best else ""
