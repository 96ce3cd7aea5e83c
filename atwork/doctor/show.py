"""The table of `atwork doctor`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from atwork.doctor import account, machine
from atwork.environments.bootstrap import google as cloud
from atwork.environments.bootstrap.google import Google
from atwork.environments.lookup import settings_of
from atwork.environments.preflight.check import Check, wrong
from atwork.errors import ConfigError
from infra import company
from infra.config import read_all
from infra.yaml_lines import with_lines


def run(checkout: Path, name: str, *, login: Callable[[], Google] = cloud.login, console: Console | None = None) -> int:
    """Run all checks and print them; return 1 if a needed check fails."""
    console = console or Console(highlight=False)
    stacks = checkout / "stacks"
    environments = read_all(stacks)
    if name:
        settings_of(name, environments)  # which reports a name without a file
    cloud_checks: list[Check] = []
    try:
        platform = company.read(stacks)
    except ConfigError as error:
        platform = None
        message = with_lines(str(error).splitlines()[0], checkout)
        cloud_checks = [wrong("platform", message, "docs/bootstrap.md", needed=bool(name))]
    bucket = f"gs://{platform.bucket}" if platform else ""
    with console.status("Checking this machine"):
        machine_checks = list(machine.checks(checkout, real=bool(name), bucket=bucket))
    console.print(table("this machine", machine_checks))
    if platform is not None:
        with console.status("Asking Google"):
            cloud_checks = list(account.checks(stacks, environments, platform, name, login=login))
    console.print()
    console.print(table(f"Google Cloud, {name}" if name else "Google Cloud", cloud_checks))
    problems = [check for check in (*machine_checks, *cloud_checks) if check.bad]
    skipped = sum(check.ok is None for check in cloud_checks)
    suffix = f"; {skipped} not checked" if skipped else ""
    console.print()
    console.print(f"{len(problems)} to fix{suffix}" if problems else f"No problems{suffix}")
    return 1 if problems else 0


def table(title: str, checks: Sequence[Check]) -> Table:
    """One line for each check, with the fix below a failed one."""
    result = Table("", title, "", box=None, pad_edge=False, header_style="bold")
    for check in checks:
        text = Text(check.detail)
        if check.ok is not True and check.fix:
            text.append(f"\n→ {check.fix}", style="cyan")
        result.add_row(sign(check), check.name, text)
    return result


def sign(check: Check) -> Text:
    """The sign of a check: passed, failed, optional and failed, or not run."""
    if check.ok is None:
        return Text("·", style="dim")
    if check.ok:
        return Text("✔", style="green")
    return Text("✖", style="bold red") if check.needed else Text("!", style="yellow")
