"""Machine types of Compute Engine with their boot disks and GPUs."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

from components.google import nearest
from components.google.tables import REFRESH, table

DiskType = Literal["pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"]

_CUSTOM = re.compile(r"(?P<prefix>[a-z0-9]+-custom|custom)-(?P<cpus>\d+)-(?P<memory>\d+)(-ext)?")
_MEMORY_STEP_MB = 256


@cache
def _types() -> dict[str, frozenset[str]]:
    return {series: frozenset(names) for series, names in table("machine_types")["types"].items()}


def series_of(machine_type: str) -> str:
    """The series of a machine type, such as n2; custom types without one are N1."""
    series = machine_type.partition("-")[0]
    return "n1" if series == "custom" else series


def is_listed(machine_type: str) -> bool:
    """Whether a machine type is known; one that is not can be newer than the list."""
    series, _, size = machine_type.partition("-")
    return size in _types().get(series, ()) or _CUSTOM.fullmatch(machine_type) is not None


def mistake(machine_type: str) -> str:
    """Why Google has no such machine type, with the nearest ones; "" if it has, or if it can be newer than the list.

    Refused are misspellings, impossible custom types and unknown sizes of the series that get no new ones.
    """
    if custom := _CUSTOM.fullmatch(machine_type):
        return _custom_mistake(machine_type, custom)
    if is_listed(machine_type):
        return ""
    series, _, size = machine_type.partition("-")
    if series not in _types():
        return _series_mistake(series)
    names = [f"{series}-{name}" for name in table("machine_types")["types"][series]]
    if near := nearest.misspelled(size, _types()[series]):
        return f"Google has no {machine_type}; did you mean {' or '.join(f'{series}-{name}' for name in near)}?"
    if series in table("machine_types")["complete"]:
        return f"Google has no {machine_type}; {nearest.advice(machine_type, names, example=names[-1])} ({REFRESH})"
    return ""


def _series_mistake(series: str) -> str:
    """Why an unknown series is a mistake; "" for one that can be new: letters, a generation, a letter."""
    if not re.search(r"\d", series):
        return f"Google has no machine series {series}; begin with one, such as n2-standard-8"
    without_doubles = re.sub(r"(.)\1", r"\1", series)
    if series != without_doubles and without_doubles in _types():
        return f"Google has no machine series {series}; did you mean {without_doubles}?"
    return ""


def _custom_mistake(machine_type: str, custom: re.Match[str]) -> str:
    prefixes = table("machine_series")["custom"]
    series = series_of(machine_type)
    if series not in prefixes:
        known = series in table("machine_types")["complete"]
        return f"series {series} has no custom machine types; {', '.join(prefixes)} have them" if known else ""
    cpus, memory = int(custom["cpus"]), int(custom["memory"])
    if cpus == 0 or (cpus > 1 and cpus % 2):
        return f"{machine_type}: a custom machine has 1 CPU or an even number; write {cpus + 1}"
    if memory == 0 or memory % _MEMORY_STEP_MB:
        least = (memory // _MEMORY_STEP_MB + 1) * _MEMORY_STEP_MB
        return f"{machine_type}: memory is in steps of {_MEMORY_STEP_MB} MB; write {least}"
    return ""


def boot_disks(machine_type: str) -> tuple[DiskType, ...]:
    """Types of boot disks that a machine type takes, the usual one first; empty where they are unknown."""
    disks = table("machine_series")["disks"]
    return tuple(disks.get("-".join(machine_type.split("-")[:2])) or disks.get(series_of(machine_type), ()))


def disk_mistake(machine_type: str, disk_type: str) -> str:
    """Why a machine cannot have a boot disk of that type, with the fix; "" where it can, or where that is unknown."""
    possible = boot_disks(machine_type)
    if not possible or disk_type in possible:
        return ""
    return (
        f"machines of the series {series_of(machine_type)} have no {disk_type}; "
        f"set disk_type to {' or '.join(possible)}, or choose another machine_type"
    )


def gvisor_mistake(machine_type: str) -> str:
    """Why a machine cannot run GKE Sandbox; "" where it can."""
    if machine_type in table("machine_series")["without_gvisor"]:
        return f"{machine_type} cannot run it; choose a machine_type such as e2-standard-2"
    return ""
