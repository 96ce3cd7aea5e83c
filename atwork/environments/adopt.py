"""`atwork environment adopt`: imports retained resources that the program declares again.

A database that leaves the program stays in its instance (docs/adr/0015-left-behind.md). When it returns, `pulumi up`
fails with 409. The preview says what would be created and stays behind when it goes; the engine is asked which of these
are there, and imports them with the parents and providers that the program gives them.
"""

from __future__ import annotations

from rich.console import Console
from rich.prompt import Confirm

from atwork.checkout import find_checkout
from atwork.engine import choice
from atwork.engine.urn import name_of
from atwork.environments import leftovers
from atwork.environments.lookup import find_environment
from atwork.environments.terminal import is_interactive
from atwork.errors import BackendError, UsageError


def adopt(name: str, *, yes: bool) -> int:
    """Import the planned resources that already exist; the exit code is 1 if the program then differs."""
    console = Console(highlight=False, soft_wrap=True)
    find_environment(name)  # which reports a name without a file
    with choice.chosen(find_checkout(), console, "atwork environment adopt") as backend:
        backend.recover(name)
        plan = leftovers.plan(backend, name)
        candidates = [planned for planned in plan.creates if planned.id]
        for planned in plan.creates:
            if not planned.id:
                console.print(f"{planned.name}: its name in the cloud is not known before `pulumi up`; not looked for")
        there = leftovers.existing(backend, plan, candidates)
        if not there:
            console.print(f"{name}: nothing that would be created already exists")
            return 0
        for planned in there:
            console.print(f"{planned.name}: {planned.type.rpartition(':')[2]} {planned.id} is there")
        _confirm(name, len(there), console, yes=yes)
        outcome = leftovers.take_back(backend, plan, there)
        if outcome.failed:
            raise BackendError("\n".join([f"{name}: the import failed:", *outcome.error_lines]))
        wrong = leftovers.steps(backend, name, there)
    for urn, step in wrong.items():
        console.print(f"{name_of(urn)}: the next update would {step} it; look at `pulumi preview --diff`")
    console.print(f"{name}: adopted {len(there)}; `pulumi up` makes the rest and guards them again")
    return 1 if wrong else 0


def _confirm(name: str, count: int, console: Console, *, yes: bool) -> None:
    if yes:
        return
    if not is_interactive(console):
        raise UsageError("no terminal to ask on; run it again with --yes")
    if not Confirm.ask(f"Take {count} into the state of {name}?", default=False, console=console):
        raise UsageError(f"{name} stays as it is")
