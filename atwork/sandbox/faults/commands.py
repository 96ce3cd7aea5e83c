"""The commands of `atwork sandbox fault`; each returns the exit code."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from atwork.errors import UsageError
from atwork.sandbox.faults.model import Fault
from atwork.sandbox.faults.store import Store
from atwork.sandbox.faults.types import resolved
from atwork.sandbox.home import Home, here


def add(given: dict[str, Any]) -> int:
    """Keep a fault, after its words were checked."""
    home = here()
    fault = parsed({**given, "type": resolved(given.get("type", ""))})
    _known_stack(home, fault.stack)
    number = store(home).add(fault)
    _console().print(f"Fault {number}: {described(fault)}")
    return 0


def listed() -> int:
    """Every fault, how many calls matched it and how many it hit."""
    kept, console = store(here()).all(), _console()
    if not kept:
        console.print("There are no faults.")
        return 0
    table = Table("fault", "what", box=None, pad_edge=False)
    for name in ("matched", "hits"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in kept:
        table.add_row(str(one.number), described(one.fault), str(one.seen), str(one.hits))
    console.print(table)
    return 0


def remove(number: int) -> int:
    """Forget one fault."""
    store(here()).remove(number)
    return 0


def clear() -> int:
    """Forget all faults."""
    count = store(here()).clear()
    _console().print(f"Removed {count} fault(s)." if count else "There are no faults.")
    return 0


def store(home: Home) -> Store:
    """The faults of a sandbox."""
    return Store(home.faults)


def parsed(given: dict[str, Any]) -> Fault:
    """A fault from its words; `UsageError` with the first that does not fit."""
    try:
        return Fault.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = f"--{first['loc'][0]}: " if first["loc"] else ""
        raise UsageError(where + first["msg"].removeprefix("Value error, ")) from None


def described(fault: Fault) -> str:
    """A fault in words."""
    which = f"the {_ordinal(fault.nth)} {fault.operation}"
    if fault.always:
        which = f"every {fault.operation}" if fault.nth == 1 else f"{which} and all after it,"
    words = [fault.effect.value, which]
    words += [f"of {fault.type}"] if fault.type else []
    words += [f"named {fault.name}"] if fault.name != "*" else []
    words += [f"in {fault.stack}"] if fault.stack else []
    words += [f"for {fault.seconds:g} s"] if fault.seconds is not None else []
    return " ".join(words)


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _known_stack(home: Home, stack: str) -> None:
    there = home.project.stack_names()
    if stack and stack not in there:
        raise UsageError(f"--stack {stack}: there is no such environment; there are {', '.join(there)}")


def _console() -> Console:
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(width=160, highlight=False, soft_wrap=True)
