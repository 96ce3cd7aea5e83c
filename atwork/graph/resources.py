"""Resources as plain data: from the state of a stack, and from the changes of a preview."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from atwork.engine.urn import name_of, without_name
from atwork.engine.wire import SECRET, UNKNOWN
from atwork.report.model import Change

STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class StackResource:
    """A resource of a stack: its type, its inputs and its parent."""

    urn: str
    type: str
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    parent: str = ""
    """URN of the component that contains it; empty for a resource that the program itself declares."""

    @property
    def name(self) -> str:
        """The logical name."""
        return name_of(self.urn)

    def value(self, path: str) -> object:
        """The input at a path; None if it is missing, secret or not known yet."""
        value: object = self.inputs
        for key in path.split("."):
            value = _mapping(value).get(key)
        return None if SECRET in _mapping(value) or value == UNKNOWN else value

    def text(self, path: str) -> str:
        """The text or number at a path; empty if there is none."""
        value = self.value(path)
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""

    def is_on(self, path: str) -> bool:
        """Whether the switch at a path is on; some properties are words instead of booleans."""
        return self.value(path) in (True, "true", "TRUE")

    def items(self, path: str) -> list[StackResource]:
        """The objects of the list at a path, with the same methods."""
        value = self.value(path)
        elements = cast("list[object]", value) if isinstance(value, list) else []
        return [StackResource(self.urn, self.type, _mapping(element), self.parent) for element in elements]


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def of_state(deployment: Mapping[str, Any]) -> list[StackResource]:
    """The resources of a deployment, without those that only wait for their deletion."""
    return [
        StackResource(
            urn=str(resource["urn"]),
            type=str(resource["type"]),
            inputs=resource.get("inputs") or {},
            parent="" if f"::{STACK}::" in str(resource.get("parent", "")) else str(resource.get("parent", "")),
        )
        for resource in deployment.get("resources") or ()
        if resource["type"] != STACK and not resource.get("delete")
    ]


def with_changes(resources: Sequence[StackResource], changes: Sequence[Change]) -> list[StackResource]:
    """The resources with their new names, and those that the changes would create.

    A report contains the types and names of new resources, but not their inputs.
    """
    names = {change.renamed_from: change.urn for change in changes if change.renamed_from}
    renamed = [
        StackResource(names.get(item.urn, item.urn), item.type, item.inputs, names.get(item.parent, item.parent))
        for item in resources
    ]
    known = {item.urn for item in renamed}
    new = [StackResource(change.urn, change.type) for change in changes if change.urn not in known]
    everything = [*renamed, *new]
    return [*renamed, *(StackResource(item.urn, item.type, {}, parent_of(item.urn, everything)) for item in new)]


def parent_of(urn: str, resources: Iterable[StackResource]) -> str:
    """URN of the component that contains a resource; empty if there is none.

    A URN contains the types of all parents but not their names. Of several components with the type, the parent is the
    component whose name is a prefix of the resource's name: names are `<component>-<role>-<key>`.
    """
    name, chain = name_of(urn), without_name(urn).rpartition("$")[0]
    candidates = [item for item in resources if without_name(item.urn) == chain] if chain else []
    prefixes = [item for item in candidates if name == item.name or name.startswith(f"{item.name}-")]
    only = candidates[0] if len(candidates) == 1 else None
    parent = max(prefixes, key=lambda item: (len(item.name), item.urn), default=only)
    return parent.urn if parent else ""
