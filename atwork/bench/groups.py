"""Measurements of a service that is added to a group, in a small company and in a large one."""

from __future__ import annotations

from pathlib import Path

from atwork.bench.catalogs import add_groups, add_service
from atwork.bench.commands import time_preview, time_success
from atwork.bench.environments import Row
from atwork.checkout import Checkout
from infra.stack_name import StackName

_SERVICES_OF_A_GROUP = 10
_GROUPS = 100


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
    ]


def _added(folder: Path, group: str, stacks: list[str]) -> tuple[float, float]:
    """Seconds of the preview and the update of a group's stacks with one more service."""
    add_service(folder, group, f"{group}-added", [stack.partition(".")[0] for stack in stacks[1:]])
    return time_preview(folder, *stacks), time_success(folder, ["sandbox", "up", *stacks])
