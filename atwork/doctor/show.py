"""Doctor's table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from atwork.checkout import unknown_stack
from atwork.doctor import account, machine
from atwork.environments.bootstrap import google as cloud
from atwork.environments.bootstrap.google import Google
from atwork.environments.preflight import Check, wrong
from atwork.errors import ConfigError
from infra import company
from infra.config import read_all


def run(checkout: Path, name: str, *, login: Callable[[], Google] = cloud.login, console: Console | None = None) -> int:
    """Look at everything, and print it; 1 where something needed is missing."""
    console = console or Console(highlight=False)
    stacks = checkout / "stacks"
    environments = read_all(stacks)
    if name and name not in environments:
        raise unknown_stack(name, environments)
    there: list[Check] = []
    try:
        platform = company.read(stacks)
    except ConfigError as error:
        platform = None
        there = [wrong("platform", str(error).splitlines()[0], "docs/bootstrap.md", needed=bool(name))]
    bucket = f"gs://{platform.bucket}" if platform else ""
    with console.status("Looking at this machine"):
        here = list(machine.checks(checkout, real=bool(name), bucket=bucket))
    console.print(table("this machine", here))
    if platform is not None:
        with console.status("Asking Google"):
            there = list(account.checks(stacks, environments, platform, name, login=login))
    console.print()
    console.print(table(f"Google Cloud, {name}" if name else "Google Cloud", there))
    bad = [one for one in (*here, *there) if one.bad]
    unseen = sum(one.ok is None for one in there)
    more = f"; {unseen} not looked at" if unseen else ""
    console.print()
    console.print(f"{len(bad)} to mend{more}" if bad else f"Nothing that is needed is missing{more}")
    return 1 if bad else 0


def table(title: str, checks: Sequence[Check]) -> Table:
    """One line for each thing, its fix below what is wrong."""
    made = Table("", title, "", box=None, pad_edge=False, header_style="bold")
    for one in checks:
        said = Text(one.detail)
        if one.ok is not True and one.fix:
            said.append(f"\n→ {one.fix}", style="cyan")
        made.add_row(sign(one), one.name, said)
    return made


def sign(check: Check) -> Text:
    """Whether it is well, in the way, merely missing, or was not looked at."""
    if check.ok is None:
        return Text("·", style="dim")
    if check.ok:
        return Text("✔", style="green")
    return Text("✖", style="bold red") if check.needed else Text("!", style="yellow")
