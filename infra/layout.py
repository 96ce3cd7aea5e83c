"""Names of the folders and files of a checkout that people write: stack files and service files."""

from __future__ import annotations

from pathlib import Path

from components.names import stack_file_name
from infra.stack_name import StackName

STACKS_FOLDER = "stacks"
SERVICES_FOLDER = "services"
RUNBOOKS = "docs/runbooks/alerts"
"""The folder with a page for each alert."""
PLATFORM_FILE = "platform.yaml"
"""The platform file, in the folder of the stack files."""


def stack_file(stacks: Path, name: str) -> Path:
    """The file of a stack in a folder of stack files, whether it exists or not."""
    return stacks / stack_file_name(name)


def stack_files(stacks: Path) -> dict[str, Path]:
    """Environment to file for each stack file of an environment, sorted by file name."""
    return {str(name): path for name, path in _files(stacks).items() if name.group is None}


def group_files(stacks: Path) -> dict[StackName, Path]:
    """Stack to file for each stack file of a group of services, sorted by file name."""
    return {name: path for name, path in _files(stacks).items() if name.group is not None}


def all_stack_files(stacks: Path) -> dict[str, Path]:
    """Stack to file for each stack file, of environments and of groups, sorted by file name."""
    return {str(name): path for name, path in _files(stacks).items()}


def separate_groups(stacks: Path, environment: str) -> frozenset[str]:
    """Groups of services that have a stack of their own in an environment: those with a stack file."""
    return frozenset(name.group or "" for name in group_files(stacks) if name.environment == environment)


def stack_of_file(name: str) -> StackName | None:
    """The stack of a file by its name; None for a file of another kind."""
    if not (name.startswith("Pulumi.") and name.endswith(".yaml")):
        return None
    return StackName.parse(name.removeprefix("Pulumi.").removesuffix(".yaml"))


def _files(stacks: Path) -> dict[StackName, Path]:
    paths = sorted(stacks.glob("Pulumi.*.yaml"))
    return {stack: path for path in paths if (stack := stack_of_file(path.name)) is not None}
