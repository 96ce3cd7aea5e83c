"""Service level objectives as recording rules of Managed Prometheus. Plain data.

A *burn* is the error ratio in multiples of its limit. The limit of a window `w` is the ratio that uses up a share `b`
of the budget `e` of the period `P` in this window: `b·P/w · e`. Both a long and a short window must be above their
limit: the first says that it matters, the second that it lasts (https://sre.google/workbook/alerting-on-slos/).

Traps:
- The rule evaluator of Google reads what it wrote a minute later: each rule reads counters, and no chain delays a page.
- A counter of failures does not exist before the first failure; its missing value counts as 0.
- Without traffic in a window there is no ratio, so that nothing fires.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from components.monitoring.slo_settings import SloSettings, milliseconds

PERIOD = timedelta(days=30)
"""The time that an error budget is for."""

Urgency = Literal["page", "ticket"]

MOST = 0.9
"""The highest limit: with a large budget, a complete outage would never be above its limit otherwise."""

_REQUESTS = "http_requests_total"
_DURATIONS = "http_request_duration_seconds"
_PLACE = "cluster, namespace"


@dataclass(frozen=True)
class Pair:
    """A long window, and a twelfth of it."""

    urgency: Urgency
    long: str
    short: str
    hours: int
    """Length of the long window."""
    share: float
    """The share of the budget that a burn of 1 uses up in the long window."""

    @property
    def factor(self) -> float:
        """The limit in multiples of the budget."""
        return self.share * PERIOD / timedelta(hours=self.hours)

    def limit(self, budget: float) -> float:
        """The error ratio above which it fires."""
        return min(self.factor * budget, MOST)

    def least_requests(self, budget: float) -> int:
        """Requests in the long window below which nothing fires, because a single failure would be above the limit."""
        return math.ceil(round(1 / self.limit(budget), 6))


PAIRS = (
    Pair("page", "1h", "5m", hours=1, share=0.02),
    Pair("page", "6h", "30m", hours=6, share=0.05),
    Pair("ticket", "1d", "2h", hours=24, share=0.1),
    Pair("ticket", "3d", "6h", hours=72, share=0.1),
)
"""https://sre.google/workbook/alerting-on-slos/, table 5-8."""

_RECORDED_WINDOW = "3d"
"""The window that is too long for counters: it reads recorded rates."""

_INTERVALS: dict[Urgency, str] = {"page": "60s", "ticket": "120s"}
"""How often rules are evaluated; Prometheus forgets a value after five minutes."""

RECORDED_BAD, RECORDED_REQUESTS = "slo:bad_requests:rate5m", "slo:requests:rate5m"
"""Recorded failures and requests per second."""

BUDGET = "slo:error_budget:ratio"
"""The recorded ratio of requests that may fail, for dashboards."""


@dataclass(frozen=True)
class Objective:
    """One objective of a service in an environment."""

    name: Literal["availability", "latency"]
    budget: float
    """The ratio of requests that may fail."""
    place: str
    """Matchers of the service's namespace."""
    bucket: str | None = None
    """Matcher of the histogram's bucket of requests that are quick enough, for an objective of latency."""

    def requests(self, window: str) -> str:
        """Requests per second."""
        name = f"{_DURATIONS}_count" if self.bucket else _REQUESTS
        return _rate(f"{name}{{{self.place}}}", window)

    def failures(self, window: str) -> str:
        """Failures per second."""
        if self.bucket is not None:
            quick = _rate(f"{_DURATIONS}_bucket{{{self.place},{self.bucket}}}", window)
            return f"({self.requests(window)} - {quick})"
        failed = _rate(f'{_REQUESTS}{{{self.place},code=~"5.."}}', window)
        return f"({failed} or {self.requests(window)} * 0)"

    def ratio(self, window: str) -> str:
        """The error ratio in a window; nothing without traffic."""
        if window == _RECORDED_WINDOW:
            return f"{self._recorded(RECORDED_BAD)} / ({self._recorded(RECORDED_REQUESTS)} > 0)"
        return f"{self.failures(window)} / ({self.requests(window)} > 0)"

    def burn(self, pair: Pair) -> str:
        """The smaller of both error ratios in multiples of the limit; nothing with too little traffic."""
        long, short = self.ratio(pair.long), self.ratio(pair.short)
        lower = f"({long} < {short} or {short})"
        per_second = self._recorded(RECORDED_REQUESTS) if pair.long == _RECORDED_WINDOW else self.requests(pair.long)
        enough = f"{per_second} * {pair.hours * 3600} >= {pair.least_requests(self.budget)}"
        return f"{lower} / {pair.limit(self.budget):.10g} and {enough}"

    def _recorded(self, name: str) -> str:
        return f'sum by ({_PLACE}) (avg_over_time({name}{{{self.place},slo="{self.name}"}}[{_RECORDED_WINDOW}]))'


def _rate(selector: str, window: str) -> str:
    return f"sum by ({_PLACE}) (rate({selector}[{window}]))"


def objectives(settings: SloSettings, *, cluster: str, namespace: str) -> Iterator[Objective]:
    """The objectives of a service."""
    place = f'cluster="{cluster}",namespace="{namespace}"'
    if settings.availability is not None:
        yield Objective("availability", _budget(settings.availability), place)
    if settings.latency is not None:
        seconds = f"{milliseconds(settings.latency.under) / 1000:.10g}"
        # Clients write the bound of one second as 1.0 or as 1.
        bucket = f'le=~"{seconds}(\\\\.0)?"' if "." not in seconds else f'le="{seconds}"'
        yield Objective("latency", _budget(settings.latency.share), place, bucket)


def _budget(share: float) -> float:
    return round(1 - share / 100, 10)


def rule_groups(settings: SloSettings, *, cluster: str, service: str, team: str) -> list[dict[str, Any]]:
    """The groups of recording rules of a service, as a rule file and the kind `Rules` have them."""
    known = [*objectives(settings, cluster=cluster, namespace=service)]
    groups: list[dict[str, Any]] = []
    for urgency, interval in _INTERVALS.items():
        rules: list[dict[str, Any]] = []
        for objective in known:
            labels = {"service": service, "slo": objective.name, "team": team}
            if urgency == "page":
                rules += [
                    {"record": RECORDED_BAD, "expr": objective.failures("5m"), "labels": labels},
                    {"record": RECORDED_REQUESTS, "expr": objective.requests("5m"), "labels": labels},
                    {"record": BUDGET, "expr": f"vector({objective.budget:.10g})", "labels": labels},
                ]
            rules += [
                {
                    "record": f"slo:{urgency}_burn:ratio",
                    "expr": objective.burn(pair),
                    "labels": {**labels, "window": pair.long},
                }
                for pair in PAIRS
                if pair.urgency == urgency
            ]
        groups.append({"name": f"slo-{urgency}", "interval": interval, "rules": rules})
    return groups
