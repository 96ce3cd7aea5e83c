"""Which box shows a change: its own, else the nearest that owns it. No change is without a place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from atwork.graph.inventory import Inventory, namespace_of
from atwork.graph.model import Box
from atwork.graph.resources import Resource

ORDER = ("delete", "replace", "guard", "update", "create")
"""From the kind that needs the most attention; other kinds count as the last."""

Marks = dict[str, Counter[str]]
"""How many changes of each kind a box shows, by its id."""


def marks(cell: Box, resources: Sequence[Resource], changes: Mapping[str, str]) -> Marks:
    """Where the changes of one stack are shown; what belongs to no box is with the environment itself."""
    owners = _Owners(cell, resources)
    found: Marks = {}
    for urn, kind in sorted(changes.items()):
        found.setdefault(owners.of(urn), Counter())[kind] += 1
    return found


class _Owners:
    def __init__(self, cell: Box, resources: Sequence[Resource]) -> None:
        self.here = Inventory("", resources)
        self.paths: dict[str, tuple[Box, ...]] = {}
        """From the outermost box to the one that is a picture of the resource, by URN."""
        self.spaces: dict[str, tuple[Box, ...]] = {}
        self.cluster: tuple[Box, ...] = ()
        self.environment = next(box for box in cell.walk() if box.kind == "environment")
        self._walk(self.environment, ())
        self.below: dict[str, tuple[Box, ...]] = {}
        """The smallest box around everything that a component made, by its URN."""
        for urn, path in sorted(self.paths.items()):
            resource = self.here.by_urn.get(urn)
            for component in self.here.ancestors(resource) if resource else ():
                self.below[component.urn] = _common(self.below.get(component.urn, path), path)

    def _walk(self, box: Box, above: tuple[Box, ...]) -> None:
        path = (*above, box) if box.kind != "stack" else above
        for urn in box.urns:
            self.paths.setdefault(urn, path)
            resource = self.here.by_urn.get(urn)
            if box.kind == "namespace" and resource is not None:
                self.spaces.setdefault(namespace_of(resource), path)
        if box.kind == "cluster" and not self.cluster:
            self.cluster = path
        for child in box.children:
            self._walk(child, path)

    def of(self, urn: str) -> str:
        """Id of the box that shows a change of this resource."""
        return (self._path(urn) or (self.environment,))[-1].id

    def _path(self, urn: str) -> tuple[Box, ...]:
        if urn in self.paths:
            return self.paths[urn]
        resource = self.here.by_urn.get(urn)
        if resource is None:
            return ()
        if (space := namespace_of(resource)) in self.spaces:
            return self.spaces[space]
        for component in (resource, *self.here.ancestors(resource)):
            if len(self.below.get(component.urn, ())) > 1:
                return self.below[component.urn]
        inside = resource.type.startswith("kubernetes:") or any(
            one.type.startswith("kubernetes:") and self.here.is_in(one, urn) for one in self.here.resources
        )
        return self.cluster if inside else ()


def _common(one: tuple[Box, ...], other: tuple[Box, ...]) -> tuple[Box, ...]:
    shared = [a for a, b in zip(one, other, strict=False) if a.id == b.id]
    return tuple(shared)


def worst(counts: Counter[str]) -> str:
    """The kind that colours a box."""
    return next((kind for kind in ORDER if counts[kind]), "other")
