"""Which machine types have which GPUs, and the quotas in which these count."""

from __future__ import annotations

from collections.abc import Mapping

from components.google.machines import is_listed, series_of
from components.google.tables import table


def built_in(machine_type: str) -> tuple[str, int] | None:
    """Type and count of the GPUs that a machine type contains; None if it contains none, or is newer than the list."""
    family, _, size = machine_type.removesuffix("-nolssd").rpartition("-")
    entry = table("machine_series")["built_in"].get(family)
    if entry is None or size not in entry["count"]:
        return None
    return str(entry["type"]), int(entry["count"][size])


def attachable(machine_type: str) -> Mapping[str, list[int]]:
    """The counts of each type of GPU that can be added to a machine type."""
    return table("machine_series")["attachable"].get(series_of(machine_type), {})


def mistake(machine_type: str, gpu: tuple[str, int] | None) -> str:
    """Why a machine type cannot have these GPUs, or none, with the fix; "" if it can, or is newer than the lists."""
    own = built_in(machine_type)
    if own is not None:
        kind, count = own
        wanted = f"gpu: {{type: {kind}, count: {count}}}"
        return "" if gpu == own else f"{machine_type} contains {count} {kind}; write {wanted}"
    if gpu is None:
        return ""
    kind, count = gpu
    counts = attachable(machine_type)
    if kind in counts:
        possible = ", ".join(map(str, counts[kind]))
        return (
            "" if count in counts[kind] else f"gpu.count {count}: machines have {possible} of {kind}; write one of them"
        )
    machines = _machines_with(kind)
    if not machines and not is_listed(machine_type):
        return ""
    types = ", ".join(_types())
    fix = f"choose a machine_type of {', '.join(machines)}" if machines else f"write one of {types}"
    return f"gpu.type {kind}: {machine_type} does not have it; {fix}"


def quota(kind: str, *, spot: bool) -> str:
    """The quota of a region in which a type counts; "" for a type that only the Cloud Quotas API shows.

    https://cloud.google.com/compute/resource-usage#gpu_quota
    """
    metric = table("machine_series")["gpu_quotas"].get(kind, "")
    return f"PREEMPTIBLE_{metric}" if metric and spot else str(metric)


def _machines_with(kind: str) -> list[str]:
    """Series, or families of a series, whose machines can have a type of GPU."""
    data = table("machine_series")
    inside = [family for family, entry in data["built_in"].items() if entry["type"] == kind]
    return [*inside, *(series for series, types in data["attachable"].items() if kind in types)]


def _types() -> list[str]:
    data = table("machine_series")
    inside = {entry["type"] for entry in data["built_in"].values()}
    return sorted(inside | {kind for types in data["attachable"].values() for kind in types})
