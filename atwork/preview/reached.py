"""The stacks that a change reaches: the files that git or GitHub says are changed, and infra/reach.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

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


def merged(stacks: Sequence[str], base: str) -> list[str]:
    """The stacks that the pull requests reach which the commits after `base` merged, HEAD's alone without it.

    All where GitHub does not list the files of one.
    """
    hub = context.hub()
    merges = [_reached(stacks, hub.merged_files(commit)) for commit in context.commits_after(base)]
    return [stack for stack in stacks if any(stack in reached for reached in merges)]


def merges(base: str) -> Callable[[str], str]:
    """The newest commit after `base` whose pull request reaches a stack, and HEAD for a stack that none reaches.

    The report of that pull request shows what the stack gets: all changes of it that were merged before included.
    """
    hub, commits = context.hub(), context.commits_after(base)
    files = cache(hub.merged_files)

    def newest(stack: str) -> str:
        if len(commits) == 1:
            return commits[0]
        return next((commit for commit in commits if _reached([stack], files(commit))), commits[0])

    return newest


def outdated(stacks: Sequence[str], tip: str) -> list[str]:
    """The stacks that a commit after HEAD reaches; all where git does not know what it changed."""
    return _reached(stacks, context.files_between("HEAD", tip))


def _reached(stacks: Sequence[str], paths: Sequence[str] | None) -> list[str]:
    """The stacks that these files reach; all where the files are not known."""
    if paths is None:
        return list(stacks)
    result = reach(paths, find_checkout().stack_names())
    return [stack for stack in stacks if stack in result.reached]
