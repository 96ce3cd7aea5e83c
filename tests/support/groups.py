"""A checkout whose service orders is in a group, and the programs of all its stacks."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from support.mocks import Recording
from support.program import cloud, run_stack

from infra.config import STACKS
from infra.layout import stack_file

ENVIRONMENTS = ("ci", "staging", "production")
GROUP_FILE = {"config": {"pulumi:disable-default-providers": ["*"]}}


def checkout(folder: Path, *, separate: bool) -> Path:
    """The project's files with the service orders in the group payments, whose stacks are its own where `separate`."""
    for name in ("stacks", "services"):
        shutil.copytree(STACKS.parent / name, folder / name)
    (folder / "services" / "payments").mkdir()
    (folder / "services" / "orders.yaml").rename(folder / "services" / "payments" / "orders.yaml")
    for environment in ENVIRONMENTS if separate else ():
        stack_file(folder / "stacks", f"{environment}.payments").write_text(yaml.safe_dump(GROUP_FILE))
    return folder


def group_stack(
    folder: Path,
    stack: str,
    own: Recording | None = None,
    reads: list[str] | None = None,
    *,
    preview: bool = False,
) -> Recording:
    """What the stack of a group declares after it read what the environment's own stack has published."""

    def outputs(token: str, name: str, inputs: dict[str, Any]) -> Mapping[str, Any]:
        if token == "pulumi:pulumi:StackReference":
            return {"outputs": own.exports if own is not None else {}}
        return cloud(token, name, inputs)

    return run_stack(stack, root=folder, outputs=outputs, reads=reads, preview=preview)


def separate_stacks(folder: Path) -> dict[str, Recording]:
    """What the stacks of all environments and those of the group declare; the checkout is written into the folder."""
    checkout(folder, separate=True)
    own = {name: run_stack(name, root=folder) for name in ENVIRONMENTS}
    groups = {stack: group_stack(folder, stack, own[name]) for name in ENVIRONMENTS for stack in [f"{name}.payments"]}
    return own | groups
