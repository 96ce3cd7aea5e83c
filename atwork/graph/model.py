"""The content of a picture: boxes inside boxes, and arrows between them, without coordinates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

BoxKind = Literal[
    "stack",
    "cell",
    "outside",
    "environment",
    "network",
    "nat",
    "cluster",
    "control",
    "pools",
    "pool",
    "jenkins",
    "namespace",
    "database",
    "redis",
    "registry",
    "repository",
    "secrets",
    "keys",
    "backup",
    "gateway",
    "alerts",
    "project",
    "images",
    "note",
]
"""`cell` and `stack` are columns without a frame. `outside` stands for people, the internet and other stacks."""

ArrowKind = Literal["images", "deploys", "data", "secrets", "people", "internet"]


@dataclass(frozen=True)
class Box:
    """A box with a title, facts, and the boxes inside it."""

    id: str
    """Equal in every picture of the same resources."""
    kind: BoxKind
    title: str = ""
    facts: tuple[str, ...] = ()
    urns: tuple[str, ...] = ()
    """The resources that this box shows."""
    rows: tuple[tuple[Box, ...], ...] = ()
    guarded: bool = False
    """Whether a deletion guard protects it."""

    @property
    def children(self) -> Iterator[Box]:
        """The boxes directly inside."""
        return (box for row in self.rows for box in row)

    def walk(self) -> Iterator[Box]:
        """This box and all boxes inside it, parents first."""
        yield self
        for box in self.children:
            yield from box.walk()


@dataclass(frozen=True, order=True)
class Arrow:
    """An arrow from a box to another, by their ids."""

    kind: ArrowKind
    source: str
    target: str
