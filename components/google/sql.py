"""Tiers (machine types), editions, disks and databases of Cloud SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from components.google import nearest
from components.google.tables import REFRESH, table

SqlDiskType = Literal["PD_SSD", "PD_HDD", "HYPERDISK_BALANCED"]
Engine = Literal["POSTGRES", "MYSQL"]


@dataclass(frozen=True)
class TierFamily:
    """What all tiers of a kind have in common; the first disk is the usual one."""

    prefix: str
    edition: str
    disks: tuple[SqlDiskType, ...]
    engines: tuple[Engine, ...]
    custom: str | None = None
    complete: bool = False
    """Whether its tiers are all listed, so that another one is a mistake."""


@cache
def _families() -> tuple[TierFamily, ...]:
    """All kinds, those with the longest start of a name first."""
    known = [
        TierFamily(
            prefix,
            entry["edition"],
            tuple(entry["disks"]),
            tuple(entry["engines"]),
            entry.get("custom"),
            entry.get("complete", False),
        )
        for prefix, entry in table("sql")["families"].items()
    ]
    return tuple(sorted(known, key=lambda family: -len(family.prefix)))


def is_listed(tier: str) -> bool:
    """Whether a tier is known; one that is not can be newer than the list."""
    family = family_of(tier)
    return family is not None and (family.custom is not None or tier in table("sql_tiers")["tiers"])


def family_of(tier: str) -> TierFamily | None:
    """The kind of a tier; None for one that can be newer than the list.

    `ValueError`, with the nearest tiers, for one that Cloud SQL does not have.
    """
    family = next((family for family in _families() if tier.startswith(family.prefix)), None)
    if family is not None and family.custom is not None:
        if mistake := _custom_mistake(tier, family.prefix, table("sql")["custom"][family.custom]):
            raise ValueError(mistake)
        return family
    tiers: list[str] = table("sql_tiers")["tiers"]
    if tier in tiers:
        return family
    if near := nearest.misspelled(tier, tiers):
        raise ValueError(f"Cloud SQL has no {tier}; did you mean {' or '.join(near)}?")
    if (with_series := tier.replace("db-", "db-n1-", 1)) in tiers:
        raise ValueError(f"Cloud SQL has no {tier}; did you mean {with_series}?")
    if family is None and (start := _misspelled_start(tier)):
        raise ValueError(f"Cloud SQL has no {tier}; tiers of that kind begin with {start}")
    if family is not None and family.complete:
        advice = nearest.advice(tier, tiers, example="db-custom-2-7680 or db-perf-optimized-N-2")
        raise ValueError(f"Cloud SQL has no {tier}; {advice} ({REFRESH})")
    return family


def _misspelled_start(tier: str) -> str:
    """The start of the names of the custom tiers that a tier misspells; "" for none."""
    start = re.sub(r"\d+-\d+$", "", tier)
    return next(iter(nearest.misspelled(start, [family.prefix for family in _families()])), "") if start != tier else ""


def _custom_mistake(tier: str, prefix: str, limits: dict[str, Any]) -> str:
    match = re.fullmatch(r"(\d+)-(\d+)", tier.removeprefix(prefix))
    if match is None:
        return f"{tier}: write {prefix}CPUS-MEMORY, with the memory in MB, such as {prefix}2-7680"
    cpus, memory = int(match[1]), int(match[2])
    single = cpus == 1 and limits["one_cpu"]
    if not single and (cpus == 0 or cpus % 2 or cpus > limits["cpus"]):
        words = "1 CPU, or an even number of CPUs" if limits["one_cpu"] else "an even number of CPUs"
        near = min(cpus + cpus % 2 or 2, limits["cpus"])
        fitting = _fitting(near, memory, limits)
        return f"{tier}: Cloud SQL has {words} up to {limits['cpus']}; write {prefix}{near}-{fitting}"
    fitting = _fitting(cpus, memory, limits)
    if fitting != memory:
        least, most = limits["least_mb_per_cpu"] * cpus, limits["most_mb_per_cpu"] * cpus
        least = max(least, limits["least_mb"])
        return (
            f"{tier}: {cpus} CPU{'s' if cpus > 1 else ''} have {least} to {most} MB of memory, in steps of "
            f"{limits['step_mb']} MB; write {prefix}{cpus}-{fitting}"
        )
    return ""


def _fitting(cpus: int, memory: int, limits: dict[str, Any]) -> int:
    """The memory in MB nearest to `memory` that machines with these CPUs have."""
    step = limits["step_mb"]
    least = max(limits["least_mb"], -(-limits["least_mb_per_cpu"] * cpus // step) * step)
    most = limits["most_mb_per_cpu"] * cpus // step * step
    return min(max(-(-memory // step) * step, least), most)


def smallest_disk(disk_type: SqlDiskType) -> int:
    """The smallest disk of a type, GB."""
    return int(table("sql")["smallest_disk"][disk_type])


def log_days(edition: str) -> int:
    """The most days of logs that an edition keeps for point-in-time recovery."""
    return int(table("sql")["log_days"][edition])


def system_databases(engine: Engine) -> tuple[str, ...]:
    """Databases that every instance has from the start."""
    return tuple(table("sql")["system_databases"][engine])


_CONNECTIONS = ((120, 1000), (60, 800), (30, 600), (15, 500), (7.5, 400), (6, 200), (3.75, 100), (1.7, 50))
"""Connections by the memory in GiB from which on PostgreSQL takes them:
https://cloud.google.com/sql/docs/postgres/flags#postgres-m (max_connections)"""
_LEAST_CONNECTIONS = 25
_MEMORY = {"db-f1-micro": 0.6, "db-g1-small": 1.7}
_MEMORY_PER_CPU = {"db-n1-standard-": 3.75, "db-n1-highmem-": 6.5}
_LEAST_MEMORY_PER_CPU = 8.0
"""GiB of a CPU in the other machines, of which some have more."""


def memory_gib(tier: str) -> float:
    """The memory of a tier, GiB: of machines whose memory is not in their name, at least as much."""
    if match := re.fullmatch(r"db-custom-(?:[A-Z]\w*-)?\d+-(\d+)", tier):
        return int(match[1]) / 1024
    if tier in _MEMORY:
        return _MEMORY[tier]
    cpus = re.search(r"\d+$", tier)
    each = next((size for start, size in _MEMORY_PER_CPU.items() if tier.startswith(start)), _LEAST_MEMORY_PER_CPU)
    return int(cpus[0]) * each if cpus is not None else 0.0


def postgres_connections(tier: str) -> int:
    """How many connections PostgreSQL takes on a tier if the flag `max_connections` does not say another number."""
    memory = memory_gib(tier)
    return next((connections for least, connections in _CONNECTIONS if memory >= least), _LEAST_CONNECTIONS)
