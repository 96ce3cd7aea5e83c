"""An environment by its name."""

from __future__ import annotations

from pathlib import Path

from atwork.checkout import find_checkout, unknown_stack
from infra.config import read_all
from infra.stack import StackConfig


def find_environment(name: str) -> tuple[Path, StackConfig]:
    """The file and the settings of an environment; `UsageError` when it has no file."""
    checkout = find_checkout()
    environments = read_all(checkout.stacks)
    if name not in environments:
        raise unknown_stack(name, environments)
    return checkout.stack_file(name), environments[name]
