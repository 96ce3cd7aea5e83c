"""A rule of an alert. Plain data, which the alert policy and the rule file of the tests both render."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Severity = Literal["page", "ticket", "note"]
"""Whether a person is woken, does it in working hours, or only reads it."""

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""All severities, the most urgent first."""

Stage = Literal["build", "test", "production"]
"""What an environment is for; which rules it has, and how urgent they are, follows from it."""

STAGES: tuple[Stage, ...] = get_args(Stage)

Update = Literal["nodes", "control plane", "database"]
"""What Google updates in a maintenance window."""

Operator = Literal[">", "<", ">=", "=="]

PAGE_INTERVAL = 60
"""Seconds between two evaluations of a rule that pages."""

INTERVAL = 300
"""Seconds between two evaluations of any other rule: Google charges for the time series that an evaluation reads."""


_SIGNS = frozenset(("%", "s"))
"""Units that follow their number without a space."""


@dataclass(frozen=True)
class Threshold:
    """What a value is compared with. `None` as the unit means a state: nobody tunes it."""

    operator: Operator
    value: float
    unit: str | None = None
    """`%` of a ratio, `s`, or a plural such as `restarts`."""

    @property
    def operand(self) -> str:
        """The number in PromQL; a percentage becomes a ratio."""
        return format(self.value / 100 if self.unit == "%" else self.value, ".10g")

    @property
    def words(self) -> str:
        """The threshold as people and stack files write it, such as `85%` or `5 restarts`."""
        number = format(self.value, ".10g")
        return f"{number} {self.unit}" if self.unit not in _SIGNS | {None} else f"{number}{self.unit or ''}"

    def shown(self, value: float) -> str:
        """A value of the expression, rounded, with the sign of the unit."""
        return f"{value * 100 if self.unit == '%' else value:.3g}{self.unit if self.unit in _SIGNS else ''}"


@dataclass(frozen=True)
class Severities:
    """How urgent a rule is in environments of each stage; None for stages without the rule."""

    production: Severity | None = None
    test: Severity | None = None
    build: Severity | None = None

    def at(self, stage: Stage) -> Severity | None:
        """The severity in an environment of a stage."""
        severities: Mapping[Stage, Severity | None] = {
            "production": self.production,
            "test": self.test,
            "build": self.build,
        }
        return severities[stage]


@dataclass(frozen=True)
class AlertRule:
    """One rule: at most one alert policy with one condition in each environment."""

    id: str
    """Name in stack files, and of its page in docs/runbooks/alerts/."""
    title: str
    """What is wrong, as the first line of a notification."""
    value: str
    """PromQL of what is compared; `$NAME` stands for the selector of that name in the scope (scope.py)."""
    threshold: Threshold
    minutes: int
    """How long it must be true before somebody is notified; 0 where the window of the value is the wait."""
    severities: Severities
    each_database: bool = False
    """Whether the value is written for each database and joined, because its limit differs."""
    each_team: bool = False
    """Whether teams with channels of their own have a policy of their own: the alert is about their services."""
    effect_of: Update | None = None
    """The update that it is a planned effect of: in its maintenance window, the alert is muted unless it pages."""


def alert_name(rule_id: str) -> str:
    """The name of a rule where Prometheus wants a label name."""
    return rule_id.replace("-", "_")


def interval(severity: Severity) -> int:
    """Seconds between two evaluations."""
    return PAGE_INTERVAL if severity == "page" else INTERVAL


PolicySeverity = Literal["CRITICAL", "ERROR", "WARNING"]

POLICY_SEVERITY: Mapping[Severity, PolicySeverity] = {"page": "CRITICAL", "ticket": "ERROR", "note": "WARNING"}
"""How Cloud Monitoring names the severities."""
