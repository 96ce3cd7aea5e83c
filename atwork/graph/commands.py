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
from atwork.graph.resources import StackResource, of_state
from atwork.report import folder
from infra.stack_name import StackName


def graph(stacks: Sequence[str], *, out: Path | None, changes: Path | None) -> int:
    """Draw the named stacks, or all that are up; with changes, the stacks that have a report."""
    checkout, console = find_checkout(), Console(stderr=True, highlight=False)
    chosen = checkout.selected(stacks)
    if changes is None:
        joined = _by_environment(states_of(checkout, chosen, console))
        states = _running(joined, console, named=bool(stacks))
        svg = draw(states)
    else:
        reports = [report for report in folder.read(changes, ()) if not stacks or report.stack in chosen]
        if missing := sorted(set(stacks) - {report.stack for report in reports}):
            raise UsageError(
                f"{changes}: no report of {', '.join(missing)}; `atwork preview {' '.join(missing)} --out {changes}` "
                "writes it"
            )
        svg = for_reports(reports, states_of(checkout, [report.stack for report in reports], console))
    if out is None:
        print(svg, end="")
    else:
        _write(out, svg)
    return 0


def states_of(checkout: Checkout, stacks: Sequence[str], console: Console) -> dict[str, list[StackResource]]:
    """The resources of each stack, from the configured backend, else from the sandbox; takes no lock."""
    deployment = choice.deployments(checkout, console)
    return {stack: of_state(deployment(stack)) for stack in stacks}


def _by_environment(states: Mapping[str, list[StackResource]]) -> dict[str, list[StackResource]]:
    """The resources of each environment, those of its groups of services among them."""
    joined: dict[str, list[StackResource]] = {}
    for stack, resources in states.items():
        joined.setdefault(StackName.parse(stack).environment, []).extend(resources)
    return joined


def _running(
    states: Mapping[str, list[StackResource]], console: Console, *, named: bool
) -> Mapping[str, list[StackResource]]:
    """The stacks that are up; a named stack that is not up is an error, and so is no stack at all."""
    down = [stack for stack, resources in states.items() if not resources]
    if down and (named or len(down) == len(states)):
        fix = "`pulumi up`" if choice.is_remote() else f"`atwork sandbox up {' '.join(down)}`"
        raise BackendError(f"{', '.join(down)}: nothing is up to draw; run {fix}")
    if down:
        console.print(f"Not drawn, because nothing is up: {', '.join(down)}.")
    return {stack: resources for stack, resources in states.items() if resources}


def _write(out: Path, svg: str) -> None:
    """Replace the file atomically."""
    if not out.parent.is_dir():
        raise UsageError(f"{out}: there is no folder {out.parent}; make it, or name another")
    replace_file(out, svg, mode=0o644)
