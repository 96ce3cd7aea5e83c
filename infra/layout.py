"""Names of the folders and files of a checkout that people write: stack files and service files."""

from __future__ import annotations

from pathlib import Path

STACKS_FOLDER = "stacks"
SERVICES_FOLDER = "services"


def stack_file(stacks: Path, name: str) -> Path:
    """The file of a stack in a folder of stack files, whether it exists or not."""
    return stacks / f"Pulumi.{name}.yaml"


def stack_files(stacks: Path) -> dict[str, Path]:
    """Stack name to file for each file in a folder of stack files, sorted by file name."""
    return {
        path.name.removeprefix("Pulumi.").removesuffix(".yaml"): path for path in sorted(stacks.glob("Pulumi.*.yaml"))
    }
