"""The checkout of the project: its root, its stack files and its service files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atwork.errors import ConfigError, UsageError
from infra import CONFIG_KEY
from infra.layout import SERVICES_FOLDER, STACKS_FOLDER, group_files, stack_file, stack_files
from infra.promotion import Stage, in_order, stage_of_document
from infra.stack_name import StackName
from infra.yaml_files import read_yaml


@dataclass(frozen=True)
class Checkout:
    """A checkout of the project."""

    root: Path

    @property
    def stacks(self) -> Path:
        """The folder of the stack files."""
        return self.root / STACKS_FOLDER

    @property
    def services(self) -> Path:
        """The folder of the service files."""
        return self.root / SERVICES_FOLDER

    def stack_file(self, stack: str) -> Path:
        """The file of a stack, whether it exists or not."""
        return stack_file(self.stacks, stack)

    def stack_names(self) -> list[str]:
        """The stacks with a file: each environment, in the order of changes, followed by its groups of services."""
        groups = group_files(self.stacks)
        return [
            str(stack)
            for environment in self.environment_names()
            for stack in (environment, *(group for group in groups if group.environment == environment))
        ]

    def environment_names(self) -> list[str]:
        """The stacks that have a file, in the order in which changes reach them (infra/promotion.py)."""
        return in_order(self.stages())

    def stages(self) -> dict[str, Stage]:
        """The stage of each environment that has a file, also of an invalid one."""
        return {name: stage_of_document(self._settings(name)) for name in stack_files(self.stacks)}

    def upstream(self, stack: str) -> str | None:
        """The stack whose outputs a stack reads, according to its file."""
        name = StackName.parse(stack)
        if name.group is not None:
            return name.environment
        upstream = stack_settings(self.stack_file(stack)).get("upstream")
        return upstream if isinstance(upstream, str) else None

    def _settings(self, stack: str) -> dict[str, Any]:
        """The settings in a stack file before validation; empty for an invalid file, which its own preview reports."""
        try:
            return stack_settings(self.stack_file(stack))
        except ConfigError:
            return {}

    def selected(self, names: Sequence[str], *, groups: bool = True) -> list[str]:
        """The named stacks, or all without names; `UsageError` for a name without a file.

        With `groups`, the name of an environment also stands for the stacks of its groups of services.
        """
        known = self.stack_names()
        for name in names:
            if name not in known:
                raise unknown_stack(name, known)
        return [
            name
            for name in known
            if not names or name in names or (groups and StackName.parse(name).environment in names)
        ]

    def require(self, stack: str) -> None:
        """Raise `UsageError` for a stack without a file."""
        known = self.stack_names()
        if stack not in known:
            raise unknown_stack(stack, known)


def stack_settings(file: Path) -> dict[str, Any]:
    """The settings in a stack file before validation; empty where the key is missing."""
    config = read_yaml(file, f"{STACKS_FOLDER}/{file.name}").get("config")
    settings = config.get(CONFIG_KEY) if isinstance(config, dict) else None
    return settings if isinstance(settings, dict) else {}


def unknown_stack(name: str, known: Iterable[str]) -> UsageError:
    """The error for the name of a stack that has no file."""
    return UsageError(f"stacks/Pulumi.{name}.yaml: file not found; there are {', '.join(known)}")


def find_checkout() -> Checkout:
    """The checkout that contains the working directory; `UsageError` outside of a checkout."""
    start = Path.cwd()
    for folder in (start, *start.parents):
        if (folder / "Pulumi.yaml").exists() and (folder / STACKS_FOLDER).is_dir():
            return Checkout(folder)
    raise UsageError(f"{start}: no Pulumi.yaml with a stacks folder here or above; change into a checkout of atwork")
