"""Which box shows a change: the box of the resource, else the nearest box that contains it. Every change has a box."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from atwork.graph.inventory import Inventory, namespace_of
from atwork.graph.model import Box
from atwork.graph.resources import StackResource

ORDER = ("delete", "replace", "guard", "update", "create")
"""The kinds, most important first; other kinds are less important than these."""

Marks = dict[str, Counter[str]]
"""The number of changes of each kind, by the id of the box that shows them."""


def marks(cell: Box, resources: Sequence[StackResource], changes: Mapping[str, str]) -> Marks:
    """The changes of one stack by box; changes that belong to no box are shown at the environment."""
    owners = _Owners(cell, resources)
    counts_by_box: Marks = {}
    for urn, kind in sorted(changes.items()):
        counts_by_box.setdefault(owners.of(urn), Counter())[kind] += 1
    return counts_by_box


class _Owners:
    def __init__(self, cell: Box, resources: Sequence[StackResource]) -> None:
        self.inventory = Inventory("", resources)
        self.paths: dict[str, tuple[Box, ...]] = {}
        """The boxes from the outermost to the one that shows the resource, by URN."""
        self.namespaces: dict[str, tuple[Box, ...]] = {}
        self.cluster: tuple[Box, ...] = ()
        self.environment = next(box for box in cell.walk() if box.kind == "environment")
        self._index(self.environment, ())
        self.by_component: dict[str, tuple[Box, ...]] = {}
        """The boxes around all resources of a component, outermost first, by its URN."""
        for urn, path in sorted(self.paths.items()):
            resource = self.inventory.by_urn.get(urn)
            for component in self.inventory.ancestors(resource) if resource else ():
                self.by_component[component.urn] = _common(self.by_component.get(component.urn, path), path)

    def _index(self, box: Box, above: tuple[Box, ...]) -> None:
        path = (*above, box) if box.kind != "stack" else above
        for urn in box.urns:
            self.paths.setdefault(urn, path)
            resource = self.inventory.by_urn.get(urn)
            if box.kind == "namespace" and resource is not None:
                self.namespaces.setdefault(namespace_of(resource), path)
        if box.kind == "cluster" and not self.cluster:
            self.cluster = path
        for child in box.children:
            self._index(child, path)

    def of(self, urn: str) -> str:
        """Id of the box that shows a change of this resource."""
        return (self._path(urn) or (self.environment,))[-1].id

    def _path(self, urn: str) -> tuple[Box, ...]:
        if urn in self.paths:
            return self.paths[urn]
        resource = self.inventory.by_urn.get(urn)
        if resource is None:
            return ()
        if (namespace := namespace_of(resource)) in self.namespaces:
            return self.namespaces[namespace]
        for component in (resource, *self.inventory.ancestors(resource)):
            if len(self.by_component.get(component.urn, ())) > 1:
                return self.by_component[component.urn]
        in_cluster = resource.type.startswith("kubernetes:") or any(
            item.type.startswith("kubernetes:") and self.inventory.is_in(item, urn) for item in self.inventory.resources
        )
        return self.cluster if in_cluster else ()


def _common(first: tuple[Box, ...], second: tuple[Box, ...]) -> tuple[Box, ...]:
    shared = [a for a, b in zip(first, second, strict=False) if a.id == b.id]
    return tuple(shared)


def worst(counts: Counter[str]) -> str:
    """The kind that determines the color of a box."""
    return next((kind for kind in ORDER if counts[kind]), "other")
