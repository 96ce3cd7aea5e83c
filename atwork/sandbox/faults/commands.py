"""The commands of `atwork sandbox fault`; each returns the exit code."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from atwork.errors import UsageError
from atwork.sandbox.faults.model import Fault
from atwork.sandbox.faults.store import FaultStore
from atwork.sandbox.faults.type_names import token_of
from atwork.sandbox.home import Home, here


def add(options: dict[str, Any]) -> int:
    """Check and store a fault."""
    home = here()
    fault = parse({**options, "type": token_of(options.get("type", ""))})
    _check_stack(home, fault.stack)
    number = _store(home).add(fault)
    _console().print(f"Fault {number}: {describe(fault)}")
    return 0


def show_all() -> int:
    """Print all faults with the counts of matching calls and hits."""
    faults, console = _store(here()).all(), _console()
    if not faults:
        console.print("There are no faults.")
        return 0
    table = Table("fault", "what", box=None, pad_edge=False)
    for name in ("matched", "hits"):
        table.add_column(name, justify="right", no_wrap=True)
    for stored in faults:
        table.add_row(str(stored.number), describe(stored.fault), str(stored.seen), str(stored.hits))
    console.print(table)
    return 0


def remove(number: int) -> int:
    """Remove a fault."""
    _store(here()).remove(number)
    return 0


def clear() -> int:
    """Remove all faults."""
    count = _store(here()).clear()
    _console().print(f"Removed {count} fault(s)." if count else "There are no faults.")
    return 0


def parse(options: dict[str, Any]) -> Fault:
    """A fault from options of the command line; `UsageError` with the first invalid option."""
    try:
        return Fault.model_validate(options)
    except ValidationError as error:
        first = error.errors()[0]
        option = f"--{first['loc'][0]}: " if first["loc"] else ""
        raise UsageError(option + first["msg"].removeprefix("Value error, ")) from None


def describe(fault: Fault) -> str:
    """A fault in a sentence."""
    which = f"the {_ordinal(fault.nth)} {fault.operation}"
    if fault.always:
        which = f"every {fault.operation}" if fault.nth == 1 else f"{which} and all after it,"
    words = [fault.effect.value, which]
    words += [f"of {fault.type}"] if fault.type else []
    words += [f"named {fault.name}"] if fault.name != "*" else []
    words += [f"in {fault.stack}"] if fault.stack else []
    words += [f"for {fault.seconds:g} s"] if fault.seconds is not None else []
    return " ".join(words)


def _store(home: Home) -> FaultStore:
    return FaultStore(home.faults)


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _check_stack(home: Home, stack: str) -> None:
    names = home.project.stack_names()
    if stack and stack not in names:
        raise UsageError(f"--stack {stack}: environment not found; there are {', '.join(names)}")


def _console() -> Console:
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(width=160, highlight=False, soft_wrap=True)
