"""The stacks that a change reaches: the files that git or GitHub says are changed, and infra/reach.py."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from atwork.checkout import find_checkout
from atwork.github import context
from infra.reach import reach

_NAMED = 12
"""Stacks that are left out are named up to this number."""


def since(stacks: Sequence[str], base: str, console: Console) -> list[str]:
    """The stacks that the change since a commit can reach; what is left out is printed with the reason."""
    paths = context.changed_files(base)
    if paths is None:
        console.print(f"Every stack is previewed: git does not know what changed since {base}.")
        return list(stacks)
    result = reach(paths, find_checkout().stack_names())
    if result.everything:
        console.print(f"Every stack is previewed: {result.everything} changed, which all of them can depend on.")
    left_out = [stack for stack in stacks if stack in result.left_out]
    if left_out:
        names = ", ".join(left_out) if len(left_out) <= _NAMED else f"{len(left_out)} stacks"
        console.print(f"Left out: {names}: their programs read no changed file; --all previews them, too.")
    return [stack for stack in stacks if stack in result.reached]


def merged(stacks: Sequence[str]) -> list[str]:
    """The stacks that the pull request reaches which HEAD merged; all where GitHub does not list its files."""
    return _reached(stacks, context.hub().merged_files(context.commit("HEAD")))


def outdated(stacks: Sequence[str], tip: str) -> list[str]:
    """The stacks that a commit after HEAD reaches; all where git does not know what it changed."""
    return _reached(stacks, context.files_between("HEAD", tip))


def _reached(stacks: Sequence[str], paths: Sequence[str] | None) -> list[str]:
    """The stacks that these files reach; all where the files are not known."""
    if paths is None:
        return list(stacks)
    result = reach(paths, find_checkout().stack_names())
    return [stack for stack in stacks if stack in result.reached]
