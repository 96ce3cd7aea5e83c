"""Parts of PromQL, and what is wrong with a query whoever reads it: an alert or a dashboard."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import promql_parser as promql

from components.monitoring.metrics import METRICS, metric, series_in

PLACES = {"cluster", "cluster_name", "database_id", "gateway_name", "host", "project_id"}
COUNTER_FUNCTIONS = {"rate", "increase", "irate"}
LONGEST_WINDOW = timedelta(hours=24)


def nodes(expression: str) -> list[promql.Expr]:
    """All parts of an expression."""
    parts: list[promql.Expr] = []
    promql.walk(promql.parse(expression), parts.append)
    return parts


def selectors(expression: str) -> Iterator[promql.VectorSelector]:
    for node in nodes(expression):
        if isinstance(node, promql.VectorSelector):
            yield node
        elif isinstance(node, promql.MatrixSelector):
            yield node.vector_selector


def matchers(selector: promql.VectorSelector) -> dict[str, str]:
    return {matcher.name: matcher.value for matcher in selector.matchers.matchers}


def without_place(expression: str) -> list[str]:
    return [str(selector) for selector in selectors(expression) if not PLACES & matchers(selector).keys()]


def unknown_metrics(expression: str) -> list[str]:
    return [
        selector.name or ""
        for selector in selectors(expression)
        if (selector.name or "") not in METRICS and (selector.name or "").removesuffix("_bucket") not in METRICS
    ]


def without_resource(expression: str) -> list[str]:
    """A metric of Cloud Monitoring that several resources have is refused without `monitored_resource`."""
    return [
        str(selector)
        for selector in selectors(expression)
        if metric(selector.name or "").system and "monitored_resource" not in matchers(selector)
    ]


def wrong_functions(expression: str) -> list[str]:
    """A rate of a gauge, or a counter without one."""
    rated: set[str] = set()
    for node in nodes(expression):
        if isinstance(node, promql.Call) and node.func.name in COUNTER_FUNCTIONS:
            rated |= {selector.name or "" for selector in selectors(node.args[0].prettify())}
    gauges = {name for name in rated if metric(name).kind == "gauge"}
    counters = {name for name in series_in(expression) if metric(name).kind != "gauge"}
    return sorted(gauges | counters - rated)


def long_windows(expression: str, most: timedelta = LONGEST_WINDOW) -> list[str]:
    return [str(node) for node in nodes(expression) if isinstance(node, promql.MatrixSelector) and node.range > most]
