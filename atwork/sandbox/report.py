"""What the commands of the sandbox print: a table of what they changed, advice, errors, and addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from rich.console import Console
from rich.table import Table

from atwork.engine.outcome import Outcome
from atwork.engine.wire import SECRET
from atwork.sandbox.home import Home
from atwork.sandbox.state_files import resources
from infra import PLATFORM, SHARED
from infra.yaml_lines import with_lines

_COLUMNS = {
    "created": ("create",),
    "updated": ("update",),
    "replaced": ("replace",),
    "deleted": ("delete",),
    "unchanged": ("same", "refresh"),
}


def show(home: Home, outcomes: Sequence[Outcome], console: Console, *, addresses: bool) -> int:
    """Print the results of stacks, and their addresses if all succeeded; return the exit code."""
    if outcomes:
        console.print(_table(outcomes))
    for outcome in outcomes:
        for advice in outcome.advice:
            console.print(f"[yellow]{outcome.stack}[/yellow]: ", end="")
            console.print(f"advice: {advice}", markup=False, highlight=False, soft_wrap=True)
        for error in outcome.errors:
            console.print(f"[red]{outcome.stack}[/red]: ", end="")
            console.print(with_lines(error, home.checkout), markup=False, highlight=False, soft_wrap=True)
    if any(outcome.failed for outcome in outcomes):
        return 1
    if addresses:
        console.print()
        console.print(addresses_of(home, [outcome.stack for outcome in outcomes]))
    return 0


def _table(outcomes: Sequence[Outcome]) -> Table:
    """A row for each stack: its resources, how many were changed and how, the time in seconds."""
    table = Table("stack", "result", box=None, pad_edge=False)
    for name in ("resources", *_COLUMNS):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("time", justify="right")
    for outcome in outcomes:
        counts = [sum(outcome.steps[step] for step in steps) for steps in _COLUMNS.values()]
        result = "[red]failed[/red]" if outcome.failed else "[green]done[/green]"
        cells = [str(count) if count else "·" for count in counts]
        table.add_row(outcome.stack, result, str(sum(counts)), *cells, f"{outcome.seconds:.1f} s")
    return table


def addresses_of(home: Home, stacks: Sequence[str]) -> Table:
    """A table with the outputs of each stack, from its state; the values of secret outputs are not shown."""
    table = Table("stack", "what", "where", box=None, pad_edge=False)
    for stack in stacks:
        for number, (what, where) in enumerate(_flat(outputs(home, stack))):
            table.add_row(stack if number == 0 else "", what, where)
    return table


def outputs(home: Home, stack: str) -> Mapping[str, Any]:
    """The outputs of a stack, from its state."""
    root = next((each for each in resources(home, stack) if each["type"] == "pulumi:pulumi:Stack"), {})
    return root.get("outputs") or {}


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in sorted(values.items()):
        if key in (PLATFORM, SHARED):
            continue  # only for the stacks that read it
        if isinstance(value, Mapping) and SECRET in value:
            yield key, "[secret]"
        elif isinstance(value, Mapping):
            yield from ((f"{key} {inner}", text) for inner, text in _flat(cast("Mapping[str, Any]", value)))
        elif isinstance(value, list):
            if value:
                yield key, ", ".join(map(str, cast("list[Any]", value)))
        else:
            yield key, str(value)
