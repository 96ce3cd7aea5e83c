"""The commands `atwork preview`, `report` and `drift`; each returns the exit code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from atwork.checkout import find_checkout
from atwork.engine import choice
from atwork.github import context
from atwork.graph.draw import for_reports
from atwork.graph.resources import StackResource, of_state
from atwork.preview import reached
from atwork.preview.run import previews
from atwork.report import folder, summary, terminal
from atwork.report.decision import decide
from atwork.report.disclosure import disclosed
from atwork.report.model import StackReport
from atwork.report.slack import send
from infra.reach import Reach, reach


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
    every: bool = False,
    groups: bool = True,
) -> int:
    """Preview stacks, all if none is named; print the report, and write it to a folder if one is named.

    With a base, only those that the change can reach; `every` previews the others, too. With `groups`, an environment
    stands for the stacks of its groups, too.
    """
    if real:
        context.real()
    console = Console(stderr=form != "terminal", highlight=False)
    chosen = find_checkout().selected(stacks, groups=groups)
    if base and not every:
        chosen = reached.since(chosen, base, console)
        if not chosen:
            console.print("The change reaches no stack.")
    complete, states = previewed(chosen, console, base=base, refresh=refresh)
    reports = [disclosed(report, values) for report in complete]
    drawn = out is not None or form == "html"
    # A picture without values shows the names of what changes only.
    topology = for_reports(reports, states() if values == "full" else {}) if drawn else ""
    if out is not None:
        folder.keep(reports, out, topology)
    if form == "terminal":
        terminal.show(reports, console if console.is_terminal else Console(highlight=False, width=200))
    else:
        print(folder.as_text(reports, form, topology), end="")
    if slack and summary.code(reports):
        send(context.needed("SLACK_WEBHOOK_URL"), slack, reports, link=context.run())
    return summary.code(reports)


def previewed(
    stacks: Sequence[str], console: Console, *, base: str, refresh: bool
) -> tuple[list[StackReport], Callable[[], Mapping[str, Sequence[StackResource]]]]:
    """The reports, and a function that reads the current resources of their stacks."""
    checkout = find_checkout()
    about = {"head": context.commit("HEAD"), "base": context.commit(base) if base else ""}
    with choice.chosen(checkout, console) as backend, terminal.watcher(console) as watch:
        reports = previews(backend, checkout, stacks, watch, refresh=refresh, **about)
    return reports, lambda: {report.stack: of_state(backend.deployment(report.stack) or {}) for report in reports}


def report(
    where: Path, number: int, expected: Sequence[str], *, head: str = "", before: str = "", out: Path | None = None
) -> int:
    """Write the comment of a pull request, and the checks and statuses of its commit, from the reports in a folder.

    The comment is limited; `out` is a folder for the reports of all stacks together.
    """
    hub, link, bot = context.hub(), context.run(), context.bot()
    # Main's code decides which stacks the change reaches: that of the pull request could leave out any.
    paths = hub.changed_files(number)
    required = reach(paths, expected) if paths is not None else Reach(tuple(expected), ())
    order = find_checkout().stack_names()
    nothing = bool(expected) and not required.reached
    reports = [] if nothing else folder.read(where, required.reached, order=order, head=head)
    if out is not None:
        folder.keep(reports, out)
    head = head or next((each.head for each in reports if each.head), "")
    approvers = context.approvers()
    decided = decide(hub, number, reports, head=head, before=before, bot=bot, approvers=approvers)
    base = next((each.base for each in reports if each.base), "")
    notes = [*hub.moved(number, head, base), *([decided.note] if decided.note else [])]
    if required.left_out:
        notes.append(f"{len(required.left_out)} stacks are left out: their programs read no changed file.")
    address = hub.publish(number, reports, author=bot, link=link, notes=notes)
    if head:
        hub.state(head, reports, link=link, decided=decided)
    print(address)
    return summary.code(reports, decided=bool(decided.by))
