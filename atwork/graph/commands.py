"""The command `atwork graph`; it returns the exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from atwork.checkout import Checkout, find_checkout
from atwork.engine import choice
from atwork.errors import BackendError, UsageError
from atwork.files import replace_file
from atwork.graph.draw import draw, for_reports
from atwork.graph.resources import Resource, of_state
from atwork.report import folder


def graph(stacks: Sequence[str], *, out: Path | None, changes: Path | None) -> int:
    """Draw stacks, all that are up where none is named; with changes, those that have a report."""
    checkout, console = find_checkout(), Console(stderr=True, highlight=False)
    chosen = checkout.selected(stacks)
    if changes is None:
        states = _up(states_of(checkout, chosen, console), console, named=bool(stacks))
        drawn = draw(states)
    else:
        reports = [one for one in folder.read(changes, ()) if not stacks or one.stack in chosen]
        if missing := sorted(set(stacks) - {one.stack for one in reports}):
            raise UsageError(
                f"{changes}: no report of {', '.join(missing)}; `atwork preview {' '.join(missing)} --out {changes}` "
                "writes it"
            )
        drawn = for_reports(reports, states_of(checkout, [one.stack for one in reports], console))
    if out is None:
        print(drawn, end="")
    else:
        _write(out, drawn)
    return 0


def states_of(checkout: Checkout, stacks: Sequence[str], console: Console) -> dict[str, list[Resource]]:
    """What each stack consists of, from the backend that the shell names, else from the sandbox; nothing is locked."""
    deployment = choice.deployments(checkout, console)
    return {stack: of_state(deployment(stack)) for stack in stacks}


def _up(states: Mapping[str, list[Resource]], console: Console, *, named: bool) -> Mapping[str, list[Resource]]:
    """The stacks that are up; one that was named and is not is an error, and so is none at all."""
    down = [stack for stack, resources in states.items() if not resources]
    if down and (named or len(down) == len(states)):
        fix = "`pulumi up`" if choice.is_remote() else f"`atwork sandbox up {' '.join(down)}`"
        raise BackendError(f"{', '.join(down)}: nothing is up that could be drawn; {fix} makes it")
    if down:
        console.print(f"Left out, for nothing of it is up: {', '.join(down)}.")
    return {stack: resources for stack, resources in states.items() if resources}


def _write(out: Path, drawn: str) -> None:
    """Replace the file atomically."""
    if not out.parent.is_dir():
        raise UsageError(f"{out}: there is no folder {out.parent}; make it, or name another")
    replace_file(out, drawn, mode=0o644)
