"""What a machine series rules out, so that a stack file is refused before Google refuses the node pool."""

from __future__ import annotations

HYPERDISK_ONLY = frozenset({"c4", "c4a", "c4d", "n4", "n4a", "n4d"})
"""Series without Persistent Disk.
https://cloud.google.com/compute/docs/general-purpose-machines"""

WITHOUT_HYPERDISK_BALANCED = frozenset({"c2", "c2d", "e2", "n1", "n2", "n2d", "t2a", "t2d"})
"""Series that take no Hyperdisk Balanced.
https://cloud.google.com/compute/docs/disks/hd-types/hyperdisk-balanced"""

WITHOUT_GVISOR = frozenset({"e2-micro", "e2-small", "e2-medium"})
"""Machine types without GKE Sandbox.
https://cloud.google.com/kubernetes-engine/docs/concepts/sandbox-pods#limitations"""


def disk_conflict(machine_type: str, disk_type: str) -> str:
    """Why a machine cannot have a boot disk of that type, with the fix; "" where it can."""
    series = machine_type.partition("-")[0]
    hyperdisk = disk_type.startswith("hyperdisk-")
    if series in HYPERDISK_ONLY and not hyperdisk:
        return f"machines of the series {series} have no {disk_type}; set disk_type to hyperdisk-balanced"
    if series in WITHOUT_HYPERDISK_BALANCED and hyperdisk:
        return f"machines of the series {series} have no {disk_type}; set disk_type to pd-balanced or pd-ssd"
    return ""
