"""The commands `atwork preview`, `report` and `drift`; each returns the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from atwork.preview import folder, places, shell, terminal, words
from atwork.preview.decision import decide
from atwork.preview.model import StackReport
from atwork.preview.run import previews
from atwork.preview.slack import send
from atwork.preview.telling import told
from atwork.sandbox.commands import chosen_of
from atwork.sandbox.home import here


def preview(
    stacks: Sequence[str],
    *,
    base: str,
    out: Path | None,
    form: str,
    refresh: bool = False,
    values: str = "full",
    slack: str = "",
    real: bool = False,
) -> int:
    """Preview stacks, all where none is named; print the report, and keep it in a folder where one is named."""
    if real:
        shell.real()
    console = Console(stderr=form != "terminal", highlight=False)
    reports = [told(one, values) for one in made(stacks, console, base=base, refresh=refresh)]
    if out is not None:
        folder.keep(reports, out)
    if form == "terminal":
        terminal.show(reports, console if console.is_terminal else Console(highlight=False, width=200))
    else:
        print(folder.as_text(reports, form), end="")
    if slack and words.code(reports):
        send(shell.needed("SLACK_WEBHOOK_URL"), slack, reports, link=shell.run())
    return words.code(reports)


def made(stacks: Sequence[str], console: Console, *, base: str, refresh: bool) -> list[StackReport]:
    """The reports, from the backend that the shell names, else from the sandbox."""
    home = here()
    chosen = chosen_of(home, stacks)
    about = {"head": shell.commit("HEAD"), "base": shell.commit(base) if base else ""}
    with places.chosen(home, console) as place, terminal.watcher(console) as watch:
        return previews(place, chosen, watch, refresh=refresh, **about)


def report(where: Path, number: int, expected: Sequence[str], *, head: str = "", before: str = "") -> int:
    """Write the comment of a pull request and the statuses of its commit from the reports in a folder."""
    reports = folder.read(where, expected, head=head)
    hub, link, bot = shell.hub(), shell.run(), shell.bot()
    head = head or next((one.head for one in reports if one.head), "")
    approvers = shell.approvers()
    decided = decide(hub, number, reports, head=head, before=before, bot=bot, approvers=approvers)
    base = next((one.base for one in reports if one.base), "")
    notes = [*hub.moved(number, head, base), *([decided.note] if decided.note else [])]
    address = hub.publish(number, reports, author=bot, link=link, notes=notes)
    if head:
        hub.state(head, reports, link=link, decided=decided)
    print(address)
    return words.code(reports, decided=bool(decided.by))
