"""The report in a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from atwork.engine.urn import name_of
from atwork.report import groups, summary
from atwork.report.model import Change, StackReport
from atwork.report.sections import ReportSection, sections
from atwork.report.text import listed

ProgressWatch = Callable[[str, int, str], None]
"""Called with each resource that a preview reaches: stack, number of resources so far, name."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_STYLES = {"create": "green", "update": "yellow", "replace": "red", "delete": "red", "guard": "red"}


def show(reports: Sequence[StackReport], console: Console) -> None:
    """The table, the groups without changes, what needs a decision, then each change once."""
    reports = groups.ordered(reports)
    rows, folded = groups.fold(reports)
    if rows or not folded:
        console.print(table(rows))
    for item in folded:
        console.print(_text(item.line), soft_wrap=True)
    if folded or len(reports) > groups.MANY:
        console.print(_text(summary.totals(reports)), soft_wrap=True)
    for report in reports:
        for item in summary.decisions(report):
            console.print(_text(f"! {item}", style="bold red"), soft_wrap=True)
    for item in summary.remarks(reports):
        console.print(_text(f"- {item}", style="yellow"), soft_wrap=True)
    for section in sections(reports):
        console.print()
        console.print(
            _text(f"{listed(section.stacks, summary.MAX_ITEMS)}: {section.title}", style="bold"), soft_wrap=True
        )
        console.print(Text("\n").join(_details(section)), soft_wrap=True)


def table(reports: Sequence[StackReport]) -> Table:
    """A row for each stack."""
    columns = ("stack", "result", *summary.COLUMNS, "guards", "policy", "outputs", "unchanged", "state", "time")
    rows = Table(*columns, box=None, pad_edge=False)
    for report in reports:
        counts = [str(report.counts.get(kind) or "·") for kind in summary.COLUMNS]
        guards = sum(len(change.guards) for change in report.changes)
        broken, advice, rules = summary.policy(report)
        policy = f"{broken} broken" if broken else f"{advice} advice" if advice else f"{rules} passed" if rules else "·"
        result = ("new: " if report.new else "") + summary.RESULTS[report.result][1]
        rows.add_row(
            report.stack,
            result + ("" if report.complete else " (partial)"),
            *counts,
            str(guards or "·"),
            policy,
            str(len(report.outputs) or "·"),
            str(report.unchanged),
            ", ".join(summary.state(report)) or "·",
            f"{report.seconds:.1f} s",
        )
    return rows


def _details(section: ReportSection) -> list[Text]:
    lines: list[Text] = []
    for change in section.changes:
        lines += _change(change)
    for item in section.outputs:
        read = f"   # read by {listed(item.read_by, summary.MAX_ITEMS)}" if item.read_by else ""
        lines.append(_text(f"  output {item.name}: {_short(item.old)} → {_short(item.new)}{read}"))
    for violation in section.violations:
        style = "red" if violation.mandatory else "yellow"
        lines.append(_text(f"  {violation.word} {violation.name}: {violation.message}", style=style))
        lines += [_text(f"      {resource}") for resource in violation.resources]
    lines += [_text(f"  left out as noise: {item}", style="dim") for item in section.noise]
    return lines


def _change(change: Change) -> list[Text]:
    style = _STYLES.get(change.kind, "")
    marks = "".join(f" [{word}]" for word in summary.tags(change))
    sign = summary.SIGNS.get(change.kind, "?")
    lines = [_text(f"  {sign} {change.kind} {change.type} {change.name}{marks}", style=style)]
    if change.renamed_from:
        lines.append(_text(f"      was {name_of(change.renamed_from)}"))
    lines += [
        _text(f"      {item.name}: {item.old} → {item.new}", style="red" if item.removed else "green")
        for item in change.guards
    ]
    for item in change.properties:
        cause = "   # forces the replacement" if item.replaces else ""
        lines.append(_text(f"      {item.path}: {_short(item.old)} → {_short(item.new)}{cause}"))
    if change.hidden_only:
        lines.append(Text("      only values that are not shown differ"))
    return lines


def _text(content: str, style: str = "") -> Text:
    """Text that moves no cursor and clears no screen: values are written by whoever opened the pull request."""
    return Text(_CONTROLS.sub("\N{REPLACEMENT CHARACTER}", content), style=style)


def _short(text: str | None) -> str:
    if text is None:
        return "none"
    flat = " ".join(text.split())
    return flat if len(flat) <= 120 else f"{flat[:120]}…"


@contextmanager
def watcher(console: Console) -> Generator[ProgressWatch]:
    """Live progress, a line for each stack, where somebody watches."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        tasks = {}

        def watch(stack: str, count: int, name: str) -> None:
            if stack not in tasks:
                tasks[stack] = progress.add_task(stack, total=None)
            progress.update(tasks[stack], description=f"{stack:<12} {count:>4}  {name}")

        yield watch
