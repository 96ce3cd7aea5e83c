"""Which alerts an environment has, whom they reach, and which it does without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from components.monitoring.catalog import RULES
from components.monitoring.logs import LOG_RULES
from components.monitoring.rule import SEVERITIES, Severity, Threshold
from components.monitoring.scope import Scope
from components.monitoring.selection import (
    ActiveRule,
    MonitoredEnvironment,
    active_logs,
    left_out_logs,
    maintained,
    select,
)
from components.monitoring.settings import ChannelSettings, MonitoringSettings


@dataclass(frozen=True)
class Channel:
    """A way to reach people."""

    name: str
    reaches: str
    """The address, the topic or the name of the channel."""


@dataclass(frozen=True)
class Alert:
    """An alert of an environment."""

    id: str
    title: str
    severity: Severity
    fires: str
    """When it does, in words."""
    changed: bool
    """Whether the environment changes what the catalog says."""
    muted: str | None = None
    """When it is muted, in words; None for never."""
    each_team: bool = False
    """Whether teams with channels of their own hear of their own services."""


@dataclass(frozen=True)
class LeftOutAlert:
    """An alert that an environment does without."""

    id: str
    title: str
    reason: str


@dataclass(frozen=True)
class Overview:
    """The alerts of an environment."""

    routes: Mapping[Severity, tuple[Channel, ...]]
    alerts: tuple[Alert, ...]
    left_out: tuple[LeftOutAlert, ...]
    other_stages: tuple[str, ...]
    """IDs of alerts that environments of this stage never have."""
    teams: Mapping[str, Mapping[Severity, tuple[Channel, ...]]]
    """Channels of teams with their own, by severity."""

    def of(self, severity: Severity) -> tuple[Alert, ...]:
        """The alerts of a severity, in the order of the catalog."""
        return tuple(alert for alert in self.alerts if alert.severity == severity)

    def as_json(self) -> dict[str, Any]:
        """What the command prints for programs."""
        return asdict(self)


def overview(settings: MonitoringSettings, environment: MonitoredEnvironment) -> Overview:
    """The alerts of an environment with the section `monitoring`."""
    selection = select(environment)
    logs = left_out_logs(environment)
    missing = [LeftOutAlert(item.rule.id, item.rule.title, item.reason) for item in selection.left_out]
    missing += [LeftOutAlert(rule.id, rule.title, reason) for rule, reason in logs]
    alerts = tuple(_alerts(environment))
    named = {alert.id for alert in alerts} | {item.id for item in missing}
    return Overview(
        _routes(settings),
        alerts,
        tuple(missing),
        tuple(key for key in (*RULES, *LOG_RULES) if key not in named),
        {team: _routes(settings, team) for team in settings.routes.teams},
    )


def _alerts(environment: MonitoredEnvironment) -> Iterator[Alert]:
    changed = environment.adjustments
    for active in select(environment).active:
        rule = active.rule
        fires, muted = when(active.threshold, active.minutes), _muted(active, environment.scope)
        yield Alert(rule.id, rule.title, active.severity, fires, rule.id in changed, muted, rule.each_team)
    for rule, severity in active_logs(environment):
        yield Alert(rule.id, rule.title, severity, "log entry", rule.id in changed)


def _muted(active: ActiveRule, scope: Scope) -> str | None:
    """The maintenance windows in which an alert is muted."""
    parts = maintained(active.rule, scope) if active.mutes else ()
    windows = {window.words: part for part, window in parts if window is not None}
    if len(windows) == 1:
        return next(iter(windows))
    texts = (f"{', '.join(database.name for database in part.databases)}: {words}" for words, part in windows.items())
    return "; ".join(texts) or None


def when(threshold: Threshold, minutes: int) -> str:
    """When an alert fires, in words; a state has no limit that people know."""
    limit = "" if threshold.unit is None else f"{threshold.operator} {threshold.words}"
    wait = f"{'for' if limit else 'after'} {minutes} min" if minutes else "" if limit else "at once"
    return " ".join(part for part in (limit, wait) if part)


def _routes(settings: MonitoringSettings, team: str | None = None) -> dict[Severity, tuple[Channel, ...]]:
    """The channels of the environment, or of a team, by severity."""
    return {
        severity: tuple(
            Channel(name, _reaches(settings.channels[name])) for name in settings.routes.channels(severity, team)
        )
        for severity in SEVERITIES
    }


def _reaches(channel: ChannelSettings) -> str:
    return channel.existing or channel.email or f"topic {channel.topic}"
