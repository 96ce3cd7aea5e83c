"""The commands of `atwork alerts`; each returns the exit code."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from atwork.alerts import promtool
from atwork.alerts.cases import CASES, active_rules, labels_of
from atwork.alerts.evaluation import evaluate
from atwork.alerts.overview import Alert, Channel, Overview, overview, when
from atwork.alerts.picture import picture
from atwork.checkout import find_checkout, unknown_stack
from atwork.errors import UsageError
from components.google import nearest
from components.monitoring.logs import LOG_RULES
from components.monitoring.rule import SEVERITIES, STAGES, AlertRule, Severity
from infra.config import read_all
from infra.environment import physical_name
from infra.layout import RUNBOOKS
from infra.monitored import monitored

_WITHOUT_TERMINAL = 2000
"""Columns of a table that a program reads: nothing is folded."""

_GAP = 2
"""Columns between two columns of a table."""

_PICTURE = 80
"""Columns of a picture that a program reads."""


def show(name: str | None, *, as_json: bool) -> int:
    """Print the alerts of one environment, or of all."""
    checkout = find_checkout()
    settings = read_all(checkout.stacks)
    if name is not None and name not in settings:
        raise unknown_stack(name, settings)
    overviews: dict[str, Overview | None] = {}
    for key in [name] if name is not None else checkout.environment_names():
        config = settings[key]
        environment = monitored(config, physical_name(key))
        if config.monitoring is not None and environment is not None:
            overviews[key] = overview(config.monitoring, environment)
        else:
            overviews[key] = None
    if as_json:
        print(json.dumps({key: None if item is None else item.as_json() for key, item in overviews.items()}, indent=2))
        return 0
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WITHOUT_TERMINAL)
    for index, (key, item) in enumerate(overviews.items()):
        if index:
            console.print()
        _print(console, key, item)
    return 0


def _print(console: Console, name: str, item: Overview | None) -> None:
    if item is None:
        console.print(Text(f"{name}: no alerts; its stack file has no section monitoring"))
        return
    counts = ", ".join(f"{len(item.of(severity))} {severity}" for severity in SEVERITIES)
    console.print(Text(f"{name}: {len(item.alerts)} alerts ({counts}), {len(item.left_out)} left out", style="bold"))
    widths = [max(len(alert.id) for alert in item.alerts), max(len(alert.fires) + 2 for alert in item.alerts)]
    widths.append(min(max(len(alert.title) for alert in item.alerts), console.width - sum(widths) - 2 * _GAP))
    for severity in SEVERITIES:
        if not item.of(severity):
            continue
        console.print()
        console.print(Text(f"{severity} → {_reached(item.routes[severity])}", style="bold"))
        table = _table(*(Column(width=width) for width in widths))
        for alert in item.of(severity):
            table.add_row(alert.id, alert.fires + (" *" if alert.changed else ""), alert.title)
        console.print(table)
    for lines in _rest(item):
        console.print()
        console.print(lines)


def _rest(item: Overview) -> Iterator[Text | Table]:
    """What follows the alerts."""
    if any(alert.changed for alert in item.alerts):
        yield Text("* changed by this environment")
    by_team = [alert for alert in item.alerts if alert.each_team]
    if by_team and item.teams:
        yield Text(f"To the team of the service: {', '.join(alert.id for alert in by_team)}")
        table = _table(*(Column(name, overflow="fold") for name in ("team", *_severities_of(by_team))), header=True)
        for team, routes in item.teams.items():
            table.add_row(team, *(_reached(routes[severity]) for severity in _severities_of(by_team)))
        yield table
    if any(alert.muted for alert in item.alerts):
        table = _table(Column("muted", overflow="fold"), Column("in maintenance windows", overflow="fold"), header=True)
        for alert in item.alerts:
            if alert.muted is not None:
                table.add_row(alert.id, alert.muted)
        yield table
    if item.left_out:
        table = _table(Column("left out", overflow="fold"), Column("why", overflow="fold"), header=True)
        for left_out in item.left_out:
            table.add_row(left_out.id, left_out.reason)
        yield table
    if item.other_stages:
        yield Text(f"Only in environments of other stages: {', '.join(item.other_stages)}")


def _severities_of(alerts: Sequence[Alert]) -> tuple[Severity, ...]:
    return tuple(severity for severity in SEVERITIES if any(alert.severity == severity for alert in alerts))


def _table(*columns: Column, header: bool = False) -> Table:
    return Table(*columns, box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=header)


def _reached(channels: tuple[Channel, ...]) -> str:
    return ", ".join(f"{channel.name} ({channel.reaches})" for channel in channels) or "the console only"


def test(name: str) -> int:
    """Print the cases of a rule as a picture; 1 if one of them fails."""
    rules = active_rules()
    if name in LOG_RULES:
        raise UsageError(f"{name}: only Cloud Logging reads entries of logs; name an alert with a query")
    if name not in rules:
        raise UsageError(f"{name}: alert not found; {nearest.advice(name, rules, example='volume-filling')}")
    active, case = rules[name], CASES[name]
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PICTURE)
    with tempfile.TemporaryDirectory() as folder:
        evaluation = evaluate(Path(folder), active, case)
        outcome = promtool.run(Path(folder), [active], CASES)
    labels = ", ".join(f'{key}="{value}"' for key, value in labels_of(case).items())
    console.print(Text(f"{name}: {active.rule.title}", style="bold"))
    console.print(Text(f"{_severities(active.rule)}; fires {when(active.threshold, active.minutes)}"))
    console.print()
    console.print(picture(evaluation, active.threshold, active.severity, console.width), no_wrap=True)
    console.print()
    details = _table(Column(), Column(overflow="fold"))
    for what, words in (("about", labels or "the environment"), ("query", active.expression)):
        details.add_row(what, Text(words))
    details.add_row("what to do", f"{RUNBOOKS}/{name}.md")
    console.print(details)
    if not outcome.passed:
        console.print(Text(outcome.output.strip(), style="red"))
        return 1
    return 0


def _severities(rule: AlertRule) -> str:
    severities = {stage: rule.severities.at(stage) for stage in reversed(STAGES)}
    return ", ".join(f"{severity} in {stage}" for stage, severity in severities.items() if severity is not None)
