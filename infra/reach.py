"""Which stacks a change of files can reach: those whose program reads one of the files.

A stack is left out only where that is certain. An environment's stack reads all stack files and the services of the
groups without a stack of their own there; a group's stack reads all stack files and its own services. Everything else
that is not known to be read by no program reaches every stack. tests/infra/test_reach.py holds these rules against what
the programs open and declare.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from infra.layout import SERVICES_FOLDER, STACKS_FOLDER, stack_of_file
from infra.services import group_of
from infra.stack_name import StackName

UNREAD_FOLDERS = frozenset({".github", "delivery/resources", "delivery/template", "delivery/vars", "docs", "tests"})
"""Folders that no program reads: what Jenkins and GitHub run, and what people read."""

UNREAD_FILES = frozenset({"CONTRIBUTING.md", "Jenkinsfile", "README.md", ".gitignore"})
UNREAD_SUFFIXES = frozenset({".json", ".md"})
"""Of files next to stack files and services: schemas for editors, and notes."""


@dataclass(frozen=True)
class Reach:
    """The stacks that a change reaches, and the others."""

    reached: tuple[str, ...]
    left_out: tuple[str, ...]
    everything: str = ""
    """The file because of which every stack is reached; empty where the change reaches some by their own files."""


def reach(paths: Iterable[str], stacks: Collection[str]) -> Reach:
    """The stacks, in their order, that changed files reach; `paths` are relative to the checkout's root.

    A file that was moved counts under both of its names.
    """
    names = [StackName.parse(stack) for stack in stacks]
    reached: set[StackName] = set()
    for path in sorted(set(paths)):
        stacks_of_file = _of_file(PurePosixPath(path), names)
        if stacks_of_file is None:
            return Reach(tuple(stacks), (), everything=path)
        reached |= stacks_of_file
    return Reach(
        tuple(str(name) for name in names if name in reached),
        tuple(str(name) for name in names if name not in reached),
    )


def _of_file(path: PurePosixPath, names: Collection[StackName]) -> set[StackName] | None:
    """The stacks that a file reaches; None for all of them."""
    folder = path.parts[0]
    if str(path) in UNREAD_FILES or any(str(parent) in UNREAD_FOLDERS for parent in path.parents):
        return set()
    if folder in (SERVICES_FOLDER, STACKS_FOLDER) and len(path.parts) > 1 and path.suffix in UNREAD_SUFFIXES:
        return set()
    if folder == SERVICES_FOLDER and len(path.parts) in (2, 3) and path.suffix == ".yaml":
        return _of_group(group_of(str(path)), names)
    if folder == STACKS_FOLDER and len(path.parts) == 2:
        stack = stack_of_file(path.name)
        if stack is not None and stack.group is not None:
            # With the file, the group's services leave the environment's stack; without it, they are in it again.
            return {stack, StackName(stack.environment)}
    return None


def _of_group(group: str, names: Collection[StackName]) -> set[StackName]:
    """The group's own stacks, and the environments where the group has none."""
    own = {name for name in names if name.group == group}
    separate = {name.environment for name in own}
    return own | {name for name in names if name.group is None and name.environment not in separate}
