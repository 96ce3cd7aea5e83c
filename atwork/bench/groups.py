"""Measurements of a service that is added to a group, in a small company and in a large one."""

from __future__ import annotations

from pathlib import Path

from atwork.bench.catalogs import add_groups, add_service, group_name
from atwork.bench.commands import Measurement, measure, time_preview, time_success
from atwork.bench.environments import Row
from atwork.checkout import Checkout
from infra.config import read_all
from infra.promotion import release_order
from infra.stack_name import StackName

_SERVICES_OF_A_GROUP = 10
_GROUPS = 100
_FEW_GROUPS = 8
_TWICE_AS_MANY = 2 * _FEW_GROUPS
_CHANGES_FOUND = 2
"""The exit code of a preview that finds changes."""


def rows(folder: Path) -> list[Row]:
    """Add a service to a group of ten; then again after 99 other groups were written, which are not updated.

    Both groups have the same size, so a difference is the cost of the rest of the catalog. The environments are up.
    """
    small, other = add_groups(folder, 2, _SERVICES_OF_A_GROUP)
    every = Checkout(folder).stack_names()
    stacks = {group: [name for name in every if StackName.parse(name).group == group] for group in (small, other)}
    for group in (small, other):
        time_success(folder, ["sandbox", "up", *stacks[group]])
    before = _added(folder, small, stacks[small])
    add_groups(folder, _GROUPS, _SERVICES_OF_A_GROUP)
    after = _added(folder, other, stacks[other])
    count = _GROUPS * _SERVICES_OF_A_GROUP
    return [
        (f"preview of a service added to {count}, relative to 20", f"{after[0] / before[0]:.2f}", "<= 1.2"),
        (f"up of a service added to {count}, relative to 20", f"{after[1] / before[1]:.2f}", "<= 1.2"),
        ("  preview of the group's stacks", f"{after[0]:.1f} s", ""),
        ("  up of the group's stacks", f"{after[1]:.1f} s", ""),
        *_full_previews(folder),
    ]


def _full_previews(folder: Path) -> list[Row]:
    """Preview groups that are not up yet, in every environment but the build environment: time and memory."""
    environments = release_order(read_all(folder / "stacks"))
    few, many = (_preview_groups(folder, environments, count) for count in (_FEW_GROUPS, _TWICE_AS_MANY))
    count = _TWICE_AS_MANY * len(environments)
    return [
        (f"preview of {count} groups' stacks, relative to {count // 2}", f"{many.seconds / few.seconds:.2f}", "<= 2.2"),
        ("  memory of all its processes together", f"{many.peak_memory:.0f} MB", "<= 1500 MB"),
        (f"  each of the {count} stacks", f"{many.seconds / count:.1f} s", ""),
    ]


def _preview_groups(folder: Path, environments: list[str], count: int) -> Measurement:
    last = range(_GROUPS - count, _GROUPS)
    stacks = [f"{environment}.{group_name(number)}" for environment in environments for number in last]
    return measure(folder, ["preview", *stacks], codes=(_CHANGES_FOUND,))


def _added(folder: Path, group: str, stacks: list[str]) -> tuple[float, float]:
    """Seconds of the preview and the update of a group's stacks with one more service."""
    add_service(folder, group, f"{group}-added", [stack.partition(".")[0] for stack in stacks[1:]])
    return time_preview(folder, *stacks), time_success(folder, ["sandbox", "up", *stacks])
