"""An environment by its name."""

from __future__ import annotations

from pathlib import Path

from atwork.errors import UsageError
from atwork.sandbox.home import here
from infra.config import read_all
from infra.stack import StackConfig


def found(name: str) -> tuple[Path, StackConfig]:
    """Its file and its settings; `UsageError` where there is no such file."""
    stacks = here().checkout / "stacks"
    environments = read_all(stacks)
    if name not in environments:
        raise UsageError(f"stacks/Pulumi.{name}.yaml: there is no such file; there are {', '.join(environments)}")
    return stacks / f"Pulumi.{name}.yaml", environments[name]
