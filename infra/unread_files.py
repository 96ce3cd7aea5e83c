"""Files that look like stack files or service files, and that neither Pulumi nor the program reads.

Pulumi reads `Pulumi.NAME.yaml` in the folder of its project file's `stackConfigDir`, with the ending of the project
file (pulumi/sdk, go/common/workspace/paths.go), and takes `Pulumi.json` before `Pulumi.yaml`. Without a word, a file
with another name is no environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from components.names import stack_file_name
from infra.layout import PLATFORM_FILE, SERVICES_FOLDER, STACKS_FOLDER, stack_of_file
from infra.stack_name import DEFAULT_GROUP

_YAML = re.compile(r"\.(ya?ml|json)(\.txt)?$", re.IGNORECASE)
_STACK = re.compile(r"pulumi[._-]+(?P<name>.+)", re.IGNORECASE)
_SCHEMA = re.compile(r"(.+\.)?schema\.json")


@dataclass(frozen=True)
class UnreadFile:
    """A file that nothing reads."""

    shown: str
    """Its name in messages."""
    name: str
    """The stack or the service that it seems to describe."""
    message: str
    """What is wrong, and what to do."""
    group: str = DEFAULT_GROUP
    """The group of the service."""

    def __str__(self) -> str:
        return f"{self.shown}: {self.message}"


def unread_stack_files(stacks: Path) -> Iterator[UnreadFile]:
    """Files in the folder of stack files, in its folders and next to it."""
    for path in _yaml_files(stacks):
        if path.name != PLATFORM_FILE and stack_of_file(path.name) is None:
            yield _unread(path, f"{STACKS_FOLDER}/{path.name}", stacks / _meant(path.name))
    for path in (
        inner for folder in _folders(stacks) for inner in _yaml_files(folder) if _STACK.match(_YAML.sub("", inner.name))
    ):
        shown = f"{STACKS_FOLDER}/{path.relative_to(stacks).as_posix()}"
        yield _unread(path, shown, stacks / _meant(path.name))
    for path in _yaml_files(stacks.parent):
        if path.name == "Pulumi.json":
            yield UnreadFile(path.name, "", "Pulumi reads it in place of Pulumi.yaml; remove it")
        elif path.name == "Pulumi.yml":
            yield UnreadFile(path.name, "", "is not read; Pulumi.yaml is; remove this one")
        elif _STACK.match(_YAML.sub("", path.name)):
            yield _unread(path, path.name, stacks / _meant(path.name))


def unread_service_files(services: Path) -> Iterator[UnreadFile]:
    """Files in the folder of service files and in the folders of groups whose names do not end in .yaml."""
    for folder in (services, *_folders(services)):
        for path in _yaml_files(folder):
            if path.suffix != ".yaml":
                shown = f"{SERVICES_FOLDER}/{path.relative_to(services).as_posix()}"
                meant = folder / f"{_YAML.sub('', path.name)}.yaml"
                yield replace(_unread(path, shown, meant), group=DEFAULT_GROUP if folder == services else folder.name)


def _yaml_files(folder: Path) -> list[Path]:
    """Files whose name ends as that of YAML or JSON; those of editors and systems begin with a dot."""
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if _YAML.search(path.name) and not path.name.startswith(".") and not _SCHEMA.fullmatch(path.name)
    )


def _folders(folder: Path) -> list[Path]:
    paths = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in paths if path.is_dir() and not path.name.startswith(".") and path.suffix != ".yaml")


def _meant(name: str) -> str:
    """The name that a stack file should have."""
    stem = _YAML.sub("", name)
    if stem.lower() == Path(PLATFORM_FILE).stem:
        return PLATFORM_FILE
    stack = _STACK.fullmatch(stem)
    return stack_file_name(stack["name"] if stack else stem)


def _unread(path: Path, shown: str, meant: Path) -> UnreadFile:
    stack = stack_of_file(meant.name)
    place = f"{meant.parent.name}/{meant.name}" if stack else shown.replace(path.name, meant.name)
    fix = f"{place} is; remove this one" if meant.exists() else f"rename it to {place}"
    return UnreadFile(shown, meant.stem if stack is None else str(stack), f"is not read; {fix}")
