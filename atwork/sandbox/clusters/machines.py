"""The size of a machine: vCPUs and memory by the name of its type.

https://cloud.google.com/compute/docs/machine-resource
"""

from __future__ import annotations

import re

_SHARED = {"e2-micro": (2, 1), "e2-small": (2, 2), "e2-medium": (2, 4), "g1-small": (1, 2), "f1-micro": (1, 1)}
_GIB_PER_CPU = {"standard": 4.0, "highmem": 8.0, "highcpu": 1.0}
_OLDER_STANDARD = {"n1": 3.75}
_HIGHCPU = {"c2d": 2.0, "c3": 2.0, "c3d": 2.0, "c4": 2.0, "n4": 2.0, "c4a": 2.0, "t2d": 2.0, "n1": 0.9}
_PODS = 110
"""GKE's maximum for a node of a Standard cluster."""

# https://cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes: the reserved share up to a number of
# cores or GiB.
_CPU_RESERVED = ((1, 0.06), (2, 0.01), (4, 0.005), (float("inf"), 0.0025))
_MEMORY_RESERVED = ((4, 0.25), (8, 0.20), (16, 0.10), (128, 0.06), (float("inf"), 0.02))
_SHARED_CORE_RESERVED = 1.06
_EVICTION_MI = 100


def size(machine_type: str) -> tuple[int, float]:
    """vCPUs and GiB; an unknown type counts as 4 vCPUs with 16 GiB."""
    if machine_type in _SHARED:
        return _SHARED[machine_type]
    custom = re.fullmatch(r"(?:[a-z0-9]+-)?custom-(\d+)-(\d+)(?:-ext)?", machine_type)
    if custom is not None:
        return int(custom[1]), int(custom[2]) / 1024
    named = re.fullmatch(r"([a-z][a-z0-9]*)-(standard|highmem|highcpu)-(\d+)(?:-.*)?", machine_type)
    if named is None:
        return 4, 16
    family, kind, cpus = named[1], named[2], int(named[3])
    ratio = _GIB_PER_CPU[kind]
    if kind == "standard":
        ratio = _OLDER_STANDARD.get(family, ratio)
    if kind == "highcpu":
        ratio = _HIGHCPU.get(family, ratio)
    return cpus, cpus * ratio


def capacity(machine_type: str, disk_gb: int = 100) -> dict[str, str]:
    """The capacity of a node with a machine type and boot disk, as Kubernetes quantities."""
    cpus, memory = size(machine_type)
    return {
        "cpu": str(cpus),
        "memory": f"{int(memory * 1024)}Mi",
        "ephemeral-storage": f"{int(_disk(disk_gb) * 1024)}Mi",
        "pods": str(_PODS),
    }


def allocatable(machine_type: str, disk_gb: int = 100) -> dict[str, str]:
    """What pods can request: the capacity without what GKE reserves for the system and for eviction."""
    cpus, memory = size(machine_type)
    disk = _disk(disk_gb)
    reserved = _SHARED_CORE_RESERVED if machine_type in _SHARED else _share(cpus, _CPU_RESERVED)
    memory_reserved = 0.25 if memory < 1 else _share(memory, _MEMORY_RESERVED)
    scratch = disk * 0.9 - min(disk * 0.5, 6 + disk * 0.35, 100)
    return {
        "cpu": f"{int((cpus - reserved) * 1000)}m",
        "memory": f"{int((memory - memory_reserved) * 1024) - _EVICTION_MI}Mi",
        "ephemeral-storage": f"{int(scratch * 1024)}Mi",
        "pods": str(_PODS),
    }


def _disk(gigabytes: int) -> float:
    """The size of a boot disk in GiB, from GB."""
    return gigabytes * 1e9 / 2**30


def _share(amount: float, steps: tuple[tuple[float, float], ...]) -> float:
    """The sum of the shares of each step; the last step has no end."""
    total, begin = 0.0, 0.0
    for end, share in steps:
        total += max(0.0, min(amount, end) - begin) * share
        begin = end
    return total
