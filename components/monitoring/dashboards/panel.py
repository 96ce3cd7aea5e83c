"""A chart and a dashboard. Plain data, which document.py renders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from components.monitoring.catalog import RULES
from components.monitoring.rule import STAGES, Stage

Unit = Literal["10^2.%", "1", "1/s", "By", "d", "s"]
"""Unit of a value, as metric descriptors write it: a ratio that is shown as a percentage, a count, and so on."""

RATIO: Unit = "10^2.%"


@dataclass(frozen=True)
class Panel:
    """One chart."""

    title: str
    unit: Unit
    query: str
    """PromQL; `$NAME` stands for the selector of that name in the scope (scope.py)."""
    rule: str | None = None
    """The alert whose threshold is drawn."""
    each_database: bool = False
    """Whether the query is written for each database and joined, because its limit differs."""

    @classmethod
    def of(cls, rule: str, title: str, unit: Unit) -> Panel:
        """The value that an alert compares, with its threshold."""
        known = RULES[rule]
        return cls(title, unit, known.value, rule, each_database=known.each_database)


@dataclass(frozen=True)
class Dashboard:
    """One dashboard of an environment."""

    id: str
    title: str
    panels: tuple[Panel, ...]
    stages: tuple[Stage, ...] = STAGES
    """The stages whose environments have it."""
    variable: bool = False
    """Whether its readers choose a namespace."""
