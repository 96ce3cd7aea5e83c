"""What a picture consists of: boxes inside boxes, and arrows between them. No coordinates yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

BoxKind = Literal[
    "stack", "cell", "outside", "environment", "network", "nat", "cluster", "control", "pools", "pool", "jenkins",
    "namespace", "database", "registry", "repository", "secrets", "keys", "backup", "project", "images", "note",
]  # fmt: skip
"""`cell` and `stack` have no frame: they hold boxes one below the other. `outside` is who or what is no resource."""

ArrowKind = Literal["images", "deploys", "data", "secrets", "people", "internet"]


@dataclass(frozen=True)
class Box:
    """Something with a name, facts about it, and what is inside it."""

    id: str
    """The same in every picture of the same resources."""
    kind: BoxKind
    title: str = ""
    facts: tuple[str, ...] = ()
    urns: tuple[str, ...] = ()
    """The resources that this box is a picture of."""
    rows: tuple[tuple[Box, ...], ...] = ()
    guarded: bool = False
    """Whether a deletion guard is on."""

    @property
    def children(self) -> Iterator[Box]:
        """The boxes directly inside."""
        return (box for row in self.rows for box in row)

    def walk(self) -> Iterator[Box]:
        """This box and all inside it, from the outside in."""
        yield self
        for box in self.children:
            yield from box.walk()


@dataclass(frozen=True, order=True)
class Arrow:
    """From one box to another, by their ids."""

    kind: ArrowKind
    source: str
    target: str
