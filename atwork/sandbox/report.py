"""What the sandbox tells a person: a table of what was done, and the addresses that are worth knowing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from rich.table import Table

from atwork.engine.outcome import Outcome
from atwork.engine.wire import SECRET
from atwork.sandbox.home import Home
from atwork.sandbox.state_files import resources

_COLUMNS = {
    "created": ("create",),
    "updated": ("update",),
    "replaced": ("replace",),
    "deleted": ("delete",),
    "unchanged": ("same", "refresh"),
}


def table(outcomes: Sequence[Outcome]) -> Table:
    """A row for each stack: resources, what happened to them, seconds."""
    made = Table("stack", "result", box=None, pad_edge=False)
    for name in ("resources", *_COLUMNS):
        made.add_column(name, justify="right", no_wrap=True)
    made.add_column("time", justify="right")
    for outcome in outcomes:
        counts = [sum(outcome.steps[step] for step in steps) for steps in _COLUMNS.values()]
        result = "[red]failed[/red]" if outcome.failed else "[green]done[/green]"
        cells = [str(count) if count else "·" for count in counts]
        made.add_row(outcome.stack, result, str(sum(counts)), *cells, f"{outcome.seconds:.1f} s")
    return made


def addresses(home: Home, stacks: Sequence[str]) -> Table:
    """The outputs of each stack, from its state; secret ones are named and not shown."""
    made = Table("stack", "what", "where", box=None, pad_edge=False)
    for stack in stacks:
        for number, (what, where) in enumerate(_flat(outputs(home, stack))):
            made.add_row(stack if number == 0 else "", what, where)
    return made


def outputs(home: Home, stack: str) -> Mapping[str, Any]:
    """The outputs of a stack as its state has them."""
    root = next((each for each in resources(home, stack) if each["type"] == "pulumi:pulumi:Stack"), {})
    return root.get("outputs") or {}


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in sorted(values.items()):
        if key == "platform":
            continue  # for later stacks, not for people
        if isinstance(value, Mapping) and SECRET in value:
            yield key, "[secret]"
        elif isinstance(value, Mapping):
            yield from ((f"{key} {inner}", text) for inner, text in _flat(cast("Mapping[str, Any]", value)))
        elif isinstance(value, list):
            if value:
                yield key, ", ".join(map(str, cast("list[Any]", value)))
        else:
            yield key, str(value)
