"""Node types and regions of Memorystore for Valkey."""

from __future__ import annotations

from components.google.tables import table


def node_type(size_gb: int) -> str:
    """The smallest node that holds the data; `ValueError` if none does."""
    nodes = table("memorystore")["nodes"]
    for name, capacity in nodes.items():
        if size_gb <= capacity:
            return str(name)
    raise ValueError(f"size_gb: the largest node holds {max(nodes.values())} GB; write at most that")


def region_mistake(region: str) -> str:
    """Why a region cannot have an instance, with the fix; "" if it can."""
    data = table("memorystore")
    if region in data["regions"]:
        return ""
    return (
        f"Google has no Memorystore for Valkey in {region}; choose another region, or add it to "
        f"components/google/data/memorystore.yaml if it is in {data['source']['regions']}"
    )
