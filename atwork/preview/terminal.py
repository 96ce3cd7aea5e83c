"""The report in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from atwork.preview import words
from atwork.preview.model import Change, StackReport

_STYLES = {"create": "green", "update": "yellow", "replace": "red", "delete": "red", "guard": "red"}


def show(reports: Sequence[StackReport], console: Console) -> None:
    """The table, what needs a decision, then each change once."""
    console.print(table(reports))
    for report in reports:
        for one in words.decisions(report):
            console.print(Text(f"! {one}", style="bold red"), soft_wrap=True)
    for group in words.groups(reports):
        first = group[0]
        lines = list(_details(first))
        if lines:
            console.print()
            console.print(Text(", ".join(one.stack for one in group), style="bold"))
            for line in lines:
                console.print(line, soft_wrap=True)


def table(reports: Sequence[StackReport]) -> Table:
    """A row for each stack."""
    made = Table("stack", "result", *words.COLUMNS, "guards", "policy", "outputs", "unchanged", "time",
                 box=None, pad_edge=False)  # fmt: skip
    for report in reports:
        counts = [str(report.counts.get(kind) or "·") for kind in words.COLUMNS]
        guards = sum(len(change.guards) for change in report.changes)
        broken = [one for one in report.policies if one.mandatory]
        policy = f"{len(broken)} broken" if broken else f"{len(report.policies)} advice" if report.policies else "·"
        result = ("new: " if report.new else "") + words.RESULTS[report.result][1]
        made.add_row(
            report.stack, result + ("" if report.complete else " (partial)"), *counts, str(guards or "·"), policy,
            str(len(report.outputs) or "·"), str(report.unchanged), f"{report.seconds:.1f} s",
        )  # fmt: skip
    return made


def _details(report: StackReport) -> list[Text]:
    lines: list[Text] = []
    for change in report.changes:
        lines += _change(change)
    for output in report.outputs:
        lines.append(Text(f"  output {output.name}: {output.old or 'none'} → {output.new or 'none'}"))
    for policy in report.policies:
        style = "red" if policy.mandatory else "yellow"
        word = "broken" if policy.mandatory else "advice"
        lines.append(Text(f"  {word} {policy.name}: {policy.resource}: {policy.message}", style=style))
    lines += [Text(f"  left out as noise: {one}", style="dim") for one in report.noise]
    return lines


def _change(change: Change) -> list[Text]:
    style = _STYLES.get(change.kind, "")
    marks = "".join(f" [{word}]" for word in words.marks(change))
    sign = words.SIGNS.get(change.kind, "?")
    lines = [Text(f"  {sign} {change.kind} {change.type} {change.name}{marks}", style=style)]
    if change.renamed_from:
        lines.append(Text(f"      was {change.renamed_from.rpartition('::')[2]}"))
    lines += [
        Text(f"      {one.name}: {one.old} → {one.new}", style="red" if one.removed else "green")
        for one in change.guards
    ]
    for one in change.properties:
        cause = "   # forces the replacement" if one.replaces else ""
        lines.append(Text(f"      {one.path}: {_short(one.old)} → {_short(one.new)}{cause}"))
    if change.hidden_only:
        lines.append(Text("      only values that are not shown differ"))
    return lines


def _short(text: str | None) -> str:
    if text is None:
        return "none"
    flat = " ".join(text.split())
    return flat if len(flat) <= 120 else f"{flat[:120]}…"
