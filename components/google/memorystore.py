"""Node types and regions of Memorystore for Valkey."""

from __future__ import annotations

from components.google.tables import table

_MOST_NAMED = 2
"""Regions that an error proposes."""


def node_type(size_gb: int) -> str:
    """The smallest node that holds the data; `ValueError` if none does."""
    nodes = table("memorystore")["nodes"]
    for name, capacity in nodes.items():
        if size_gb <= capacity:
            return str(name)
    raise ValueError(f"size_gb: the largest node holds {max(nodes.values())} GB; write at most that")


def region_mistake(region: str) -> str:
    """Why a region cannot have an instance, with the fix; "" if it can."""
    known: list[str] = table("memorystore")["regions"]
    if region in known:
        return ""
    near = sorted(known, key=lambda name: _parts_in_common(name, region), reverse=True)[:_MOST_NAMED]
    return (
        f"there is no Memorystore for Valkey in {region} (components/google/data/memorystore.yaml lists its regions); "
        f"choose one such as {' or '.join(near)}"
    )


def _parts_in_common(name: str, region: str) -> tuple[bool, bool]:
    """Whether two regions are on one continent, and in the same part of it."""
    return name.partition("-")[0] == region.partition("-")[0], name.rstrip("0123456789") == region.rstrip("0123456789")
