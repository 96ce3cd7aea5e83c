"""An environment by its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from atwork.checkout import find_checkout, unknown_stack
from infra.config import read_all
from infra.stack import StackConfig


def find_environment(name: str) -> tuple[Path, StackConfig]:
    """The file and the settings of an environment; `UsageError` if it has no file."""
    checkout = find_checkout()
    return checkout.stack_file(name), settings_of(name, read_all(checkout.stacks))


def settings_of(name: str, environments: Mapping[str, StackConfig]) -> StackConfig:
    """The settings of one of the environments; `UsageError` if it has no file."""
    if name not in environments:
        raise unknown_stack(name, environments)
    return environments[name]
