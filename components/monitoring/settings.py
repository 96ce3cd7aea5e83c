"""The section `monitoring` of a stack file: whom alerts reach, and what the environment changes of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, WithJsonSchema, model_validator

from components.forms import TextForm
from components.google import nearest
from components.monitoring.budget import MOST_CHANNELS, BudgetSettings
from components.monitoring.catalog import RULES
from components.monitoring.logs import LOG_RULES
from components.monitoring.rule import INTERVAL, SEVERITIES, AlertRule, Severity
from components.monitoring.selection import Adjustment
from components.settings import DnsLabel, Email, Owner, Settings

_STEP = INTERVAL // 60

ChannelId = Annotated[
    str,
    TextForm(
        r"^projects/[a-z][a-z0-9-]{4,28}[a-z0-9]/notificationChannels/[0-9]+$",
        "the name of a notification channel: projects/PROJECT/notificationChannels/NUMBER",
        "projects/acme-production/notificationChannels/1234567890",
    ),
]
"""Resource name of a notification channel (`gcloud beta monitoring channels list`)."""


_LIMIT = {
    "type": "string",
    "examples": ["85%"],
    "pattern": r"^[0-9]+(\.[0-9]+)? ?[%a-z]+$",
    "patternErrorMessage": "write a number with its unit, such as 85%",
}

Limit = Annotated[str, WithJsonSchema(_LIMIT)]
"""A number with its unit. Each alert has its own, which `_number` compares: only editors check the form."""


class ChannelSettings(Settings):
    """A way to reach people; exactly one of the three."""

    existing: ChannelId | None = None
    """A channel that exists: Slack, PagerDuty and others whose secret must not be in the state of a stack."""

    email: Email | None = None
    """Messages to an address; the program creates the channel."""

    topic: DnsLabel | None = None
    """Messages to a Pub/Sub topic of this name; the program creates both."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = sum(way is not None for way in (self.existing, self.email, self.topic))
        if ways != 1:
            raise ValueError(f"has {ways or 'no'} ways to reach people; write exactly one of existing, email and topic")
        return self


class TeamRouteSettings(Settings):
    """Which channels alerts about the objectives of a team's services reach."""

    page: Annotated[tuple[DnsLabel, ...], Field(min_length=1)]
    """Wakes a person of the team."""

    ticket: Annotated[tuple[DnsLabel, ...], Field(min_length=1)]
    """The team does it in working hours."""

    note: tuple[DnsLabel, ...] = ()
    """Nobody has to do anything."""

    def channels(self, severity: Severity) -> tuple[str, ...]:
        """The channels of a severity."""
        routes: Mapping[Severity, tuple[str, ...]] = {"page": self.page, "ticket": self.ticket, "note": self.note}
        return routes[severity]


class RouteSettings(Settings):
    """Which channels an alert reaches, by how urgent it is."""

    page: tuple[DnsLabel, ...] = ()
    """Wakes a person."""

    ticket: tuple[DnsLabel, ...] = ()
    """Somebody does it in working hours."""

    note: tuple[DnsLabel, ...] = ()
    """Nobody has to do anything; left out, it is only in the console."""

    teams: dict[Owner, TeamRouteSettings] = Field(default_factory=dict)
    """Teams that hear of their own services' objectives, by the `owner` of these; one policy more for each alert."""

    def channels(self, severity: Severity, team: str | None = None) -> tuple[str, ...]:
        """The channels of a severity, of a team with channels of its own."""
        if team is not None:
            return self.teams[team].channels(severity)
        routes: Mapping[Severity, tuple[str, ...]] = {"page": self.page, "ticket": self.ticket, "note": self.note}
        return routes[severity]


class AlertSettings(Settings):
    """What this environment changes of one alert."""

    severity: Severity | None = None
    """How urgent it is here."""

    threshold: Limit | None = None
    """The limit with its unit, such as 80%, 2s or 10 restarts; not for alerts about a state."""

    minutes: Annotated[int, Field(ge=0, le=1440, multiple_of=_STEP)] | None = None
    """How long it must be true first, a multiple of 5."""

    disabled: Annotated[str, Field(min_length=10)] | None = None
    """Why the environment does without this alert."""

    @model_validator(mode="after")
    def _off_alone(self) -> Self:
        if self.disabled is not None and (self.severity or self.threshold or self.minutes is not None):
            raise ValueError("disabled excludes the other keys; remove them")
        return self


class AuditChangeSettings(Settings):
    """Changes of access, networks and data that are expected."""

    expected_actors: tuple[Email, ...] = ()
    """Accounts whose changes are reviewed elsewhere, such as the one that deploys this environment."""


class MonitoringSettings(Settings):
    """Alerts of the environment."""

    channels: Annotated[dict[DnsLabel, ChannelSettings], Field(min_length=1)]
    """Ways to reach people, by name."""

    routes: RouteSettings
    """Which of them alerts use."""

    alerts: dict[DnsLabel, AlertSettings] = Field(default_factory=dict)
    """Changes of alerts, by their id (docs/runbooks/alerts/README.md lists all)."""

    audit_changes: AuditChangeSettings = AuditChangeSettings()
    """Who changes access, networks and data without an alert."""

    budget: BudgetSettings | None = None
    """What the environment may cost in a month; notifies the e-mail channels and the topic of tickets."""

    @model_validator(mode="after")
    def _channels_exist(self) -> Self:
        used: set[str] = set()
        for key, team in {"": None, **{f"teams.{name}.": name for name in self.routes.teams}}.items():
            for severity in SEVERITIES:
                for channel in self.routes.channels(severity, team):
                    used.add(channel)
                    if channel not in self.channels:
                        raise ValueError(
                            f"routes.{key}{severity}: there is no channels.{channel}; "
                            f"name one of {', '.join(self.channels)}, or add it"
                        )
        if unused := sorted(self.channels.keys() - used):
            raise ValueError(f"channels.{unused[0]}: no route uses it; add it to routes, or remove it")
        return self

    @model_validator(mode="after")
    def _alerts_exist(self) -> Self:
        known = [*RULES, *LOG_RULES]
        for key, change in self.alerts.items():
            if key not in known:
                advice = nearest.advice(key, known, example="volume-filling")
                raise ValueError(f"alerts.{key}: alert not found; {advice}")
            if key in LOG_RULES and (change.threshold is not None or change.minutes is not None):
                raise ValueError(f"alerts.{key}: it is about entries of logs; only severity and disabled can be set")
            if change.threshold is not None:
                _number(RULES[key], change.threshold)
        return self

    @model_validator(mode="after")
    def _budget_is_heard(self) -> Self:
        if self.budget is None:
            return self
        emails, topics = self.tickets("email"), self.tickets("topic")
        if not emails and not topics:
            raise ValueError("budget: no channel of routes.ticket is an e-mail address or a topic; add one")
        if len(emails) > MOST_CHANNELS or len(topics) > 1:
            raise ValueError(
                f"budget: routes.ticket has {len(emails)} e-mail addresses and {len(topics)} topics, and a budget "
                f"notifies at most {MOST_CHANNELS} and one; use a mailing list"
            )
        return self

    def tickets(self, way: Literal["email", "topic"]) -> tuple[str, ...]:
        """The channels of tickets that are e-mail addresses, or topics."""
        return tuple(key for key in self.routes.ticket if getattr(self.channels[key], way) is not None)

    def adjustments(self) -> Mapping[str, Adjustment]:
        """The changes, by the id of the alert."""
        return {
            key: Adjustment(
                severity=change.severity,
                threshold=None if change.threshold is None else _number(RULES[key], change.threshold),
                minutes=change.minutes,
                disabled=change.disabled,
            )
            for key, change in self.alerts.items()
        }

    def topics(self) -> bool:
        """Whether a channel is a Pub/Sub topic."""
        return any(channel.topic is not None for channel in self.channels.values())


def _number(rule: AlertRule, text: str) -> float:
    """A threshold in the unit of its rule; `ValueError` for another unit, or none."""
    key, usual = f"alerts.{rule.id}.threshold", rule.threshold
    if usual.unit is None:
        raise ValueError(f"{key}: the alert is about a state and has no limit; remove it")
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?(.*)", text)
    if match is None or match[2] != usual.unit:
        what = "has no unit" if match is not None and not match[2] else f"is not a number of {usual.unit}"
        raise ValueError(f"{key}: {text} {what}; write it as {usual.words}")
    return float(match[1])
