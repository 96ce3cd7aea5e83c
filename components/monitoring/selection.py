"""Which rules an environment has: those of its stage whose metrics it sends. Plain data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from string import Template

from components.monitoring.catalog import RULES
from components.monitoring.logs import LOG_RULES, LogRule
from components.monitoring.metrics import packages_of
from components.monitoring.rule import AlertRule, Severity, Stage, Threshold, interval
from components.monitoring.scope import PARTS, MonitoredDatabase, Scope
from components.monitoring.windows import Window, muted


@dataclass(frozen=True)
class Adjustment:
    """What an environment changes of a rule; None keeps what the catalog says."""

    severity: Severity | None = None
    threshold: float | None = None
    """In the unit of the rule."""
    minutes: int | None = None
    disabled: str | None = None
    """Why the environment does without the rule."""


@dataclass(frozen=True)
class ActiveRule:
    """A rule of an environment."""

    rule: AlertRule
    severity: Severity
    threshold: Threshold
    minutes: int
    expression: str
    """PromQL that is true for what is wrong."""
    mutes: bool = False
    """Whether it is muted in maintenance windows."""

    @property
    def interval(self) -> int:
        """Seconds between two evaluations."""
        return interval(self.severity)


@dataclass(frozen=True)
class LeftOut:
    """A rule of the environment's stage that it does without, and why."""

    rule: AlertRule
    reason: str


@dataclass(frozen=True)
class Selection:
    """The rules of an environment, in the order of the catalog."""

    active: tuple[ActiveRule, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class MonitoredEnvironment:
    """What decides about the rules of an environment."""

    stage: Stage
    packages: frozenset[str]
    """The metric packages that its cluster sends."""
    scope: Scope
    adjustments: Mapping[str, Adjustment] = field(default_factory=dict[str, Adjustment])
    """By the id of the rule."""


def select(environment: MonitoredEnvironment, rules: Mapping[str, AlertRule] = RULES) -> Selection:
    """The rules of an environment, and those that it does without."""
    decisions = [_decide(rule, severity, environment) for rule, severity in _of_stage(environment, rules)]
    return Selection(
        tuple(decision for decision in decisions if isinstance(decision, ActiveRule)),
        tuple(decision for decision in decisions if isinstance(decision, LeftOut)),
    )


def _of_stage(
    environment: MonitoredEnvironment, rules: Mapping[str, AlertRule]
) -> Iterator[tuple[AlertRule, Severity]]:
    for rule in rules.values():
        adjustment = environment.adjustments.get(rule.id, Adjustment())
        severity = adjustment.severity or rule.severities.at(environment.stage)
        if severity is not None:
            yield rule, severity


def _decide(rule: AlertRule, severity: Severity, environment: MonitoredEnvironment) -> ActiveRule | LeftOut:
    adjustment = environment.adjustments.get(rule.id, Adjustment())
    if adjustment.disabled is not None:
        return LeftOut(rule, f"disabled: {adjustment.disabled}")
    if part := missing_part(rule, environment.scope):
        return LeftOut(rule, f"the environment has no {part.removeprefix('a ')}")
    threshold = rule.threshold
    if adjustment.threshold is not None:
        threshold = replace(threshold, value=adjustment.threshold)
    # Most of what breaks breaks during an update: what pages is not muted.
    mutes = severity != "page" and rule.effect_of is not None
    expression = render(rule, threshold, environment.scope, mutes=mutes)
    if missing := sorted(packages_of(expression) - environment.packages):
        return LeftOut(rule, f"the cluster does not send {', '.join(missing)}; add it to cluster.control_plane_metrics")
    minutes = rule.minutes if adjustment.minutes is None else adjustment.minutes
    return ActiveRule(rule, severity, threshold, minutes, expression, mutes)


def missing_part(rule: AlertRule, scope: Scope) -> str:
    """What the environment lacks for a rule; "" for nothing."""
    return lacking(rule.value, scope, each_database=rule.each_database)


def lacking(query: str, scope: Scope, *, each_database: bool) -> str:
    """What the environment lacks for a query; "" for nothing."""
    names = set(re.findall(r"\$(\w+)", query))
    known = set(scope.selectors())
    for database in _databases(query, scope) if each_database else ():
        known |= set(scope.of_database(database))
    return PARTS[min(names - known)] if names - known else ""


def render(rule: AlertRule, threshold: Threshold, scope: Scope, *, mutes: bool) -> str:
    """The PromQL of a rule in an environment that has all it needs; `mutes` leaves maintenance windows out."""
    values: list[str] = []
    for part, window in maintained(rule, scope) if mutes else ((scope, None),):
        value = fill(rule.value, part, each_database=rule.each_database)
        values.append(value if window is None else muted(value, window))
    return f"{_joined(values)} {threshold.operator} {threshold.operand}"


def maintained(rule: AlertRule, scope: Scope) -> tuple[tuple[Scope, Window | None], ...]:
    """The parts of an environment that a rule is about, with their maintenance windows."""
    if rule.effect_of == "database":
        windows = dict.fromkeys(database.maintenance for database in scope.databases)
        parts = [(scope.maintained_in(window), window) for window in windows]
        return tuple((part, window) for part, window in parts if not missing_part(rule, part))
    return ((scope, scope.nodes if rule.effect_of == "nodes" else scope.control_plane),)


def fill(query: str, scope: Scope, *, each_database: bool) -> str:
    """A query with the selectors of an environment that has all it needs."""
    selectors = scope.selectors()
    if not each_database:
        return Template(query).substitute(selectors)
    parts = [
        Template(query).substitute(selectors, **scope.of_database(database)) for database in _databases(query, scope)
    ]
    return _joined(parts)


def _joined(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"({' or '.join(values)})"


def _databases(query: str, scope: Scope) -> tuple[MonitoredDatabase, ...]:
    return scope.postgres() if "$connections" in query else scope.databases


def active_logs(environment: MonitoredEnvironment) -> tuple[tuple[LogRule, Severity], ...]:
    """The alerts about logs of an environment, with their severity."""
    chosen: list[tuple[LogRule, Severity]] = []
    for rule in LOG_RULES.values():
        adjustment = environment.adjustments.get(rule.id, Adjustment())
        severity = adjustment.severity or rule.severities.at(environment.stage)
        if severity is not None and adjustment.disabled is None:
            chosen.append((rule, severity))
    return tuple(chosen)


def left_out_logs(environment: MonitoredEnvironment) -> tuple[tuple[LogRule, str], ...]:
    """The alerts about logs that the environment does without, with the reason."""
    disabled = {key: change.disabled for key, change in environment.adjustments.items() if change.disabled is not None}
    return tuple((rule, f"disabled: {disabled[rule.id]}") for rule in LOG_RULES.values() if rule.id in disabled)


def has_severity(rule_id: str, stage: Stage) -> bool:
    """Whether the catalog has an alert for environments of a stage."""
    rule = RULES[rule_id] if rule_id in RULES else LOG_RULES[rule_id]
    return rule.severities.at(stage) is not None
