"""What a rule sees in each of its cases, and what it does then, evaluated by promtool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from atwork.alerts import promtool
from atwork.alerts.cases import VARIANTS, Case, Variant, due, series_of
from components.monitoring.rule import Threshold, alert_name
from components.monitoring.selection import ActiveRule

State = Literal["inactive", "pending", "firing"]
_STATES: tuple[State, ...] = ("inactive", "pending", "firing")

_AFTERWARDS = 5
"""Evaluations after somebody is notified."""


@dataclass(frozen=True)
class Course:
    """A case over time."""

    values: Mapping[int, float]
    """What is compared, by minute; without a minute in which there is no value. Of several series, the worst."""
    states: Mapping[int, State]
    """The state of the alert, by minute."""


@dataclass(frozen=True)
class Evaluation:
    """All cases of a rule over time."""

    minutes: tuple[int, ...]
    """When the rule is evaluated."""
    notified: int
    """The minute in which somebody is notified in the firing case."""
    courses: Mapping[Variant, Course]


def evaluate(folder: Path, active: ActiveRule, case: Case) -> Evaluation:
    """The courses of a rule; files are written into the folder."""
    step, notified = active.interval // 60, due(active, case)
    minutes = tuple(range(0, notified + _AFTERWARDS * step + 1, step))
    expressions = {"value": _worst(active), "state": _state(alert_name(active.rule.id))}

    def course(variant: Variant) -> Course:
        series = series_of(case, variant, minutes[-1] + 1)
        values = promtool.values(folder, active, series, expressions, minutes)
        return Course(values["value"], {minute: _STATES[int(values["state"].get(minute, 0))] for minute in minutes})

    return Evaluation(minutes, notified, {variant: course(variant) for variant in VARIANTS})


def _worst(active: ActiveRule) -> str:
    """The value of the series that is nearest to firing."""
    threshold: Threshold = active.threshold
    lowest = threshold.operator == "<" or (threshold.operator == "==" and threshold.value == 0)
    value = active.expression.removesuffix(f" {threshold.operator} {threshold.operand}")
    return f"{'min' if lowest else 'max'}({value})"


def _state(name: str) -> str:
    """The index of the state; nothing for an alert that is inactive."""
    states = (f'max(ALERTS{{alertname="{name}",alertstate="{state}"}}) * {_STATES.index(state)}' for state in _STATES)
    return " or ".join(reversed([*states][1:]))
