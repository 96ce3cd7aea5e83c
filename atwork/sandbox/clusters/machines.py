"""How large a machine is: vCPUs and memory by the name of its type.

https://cloud.google.com/compute/docs/machine-resource
"""

from __future__ import annotations

import re

_SHARED = {"e2-micro": (2, 1), "e2-small": (2, 2), "e2-medium": (2, 4), "g1-small": (1, 2), "f1-micro": (1, 1)}
_GIB_PER_CPU = {"standard": 4.0, "highmem": 8.0, "highcpu": 1.0}
_OLDER_STANDARD = {"n1": 3.75}
_HIGHCPU = {"c2d": 2.0, "c3": 2.0, "c3d": 2.0, "c4": 2.0, "n4": 2.0, "c4a": 2.0, "t2d": 2.0, "n1": 0.9}
_PODS = 110
"""GKE's most for one node of a Standard cluster."""


def size(machine_type: str) -> tuple[int, float]:
    """vCPUs and GiB; a type that is not known counts as 4 vCPUs with 16 GiB."""
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


def capacity(machine_type: str) -> dict[str, str]:
    """The capacity of a node of that type, as Kubernetes says it."""
    cpus, memory = size(machine_type)
    return {
        "cpu": str(cpus),
        "memory": f"{int(memory * 1024)}Mi",
        "ephemeral-storage": "100Gi",
        "pods": str(_PODS),
    }
