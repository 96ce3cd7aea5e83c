"""The form of the queries: what Cloud Monitoring must understand, and what would make a rule silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import promql_parser as promql
import pytest

from atwork.alerts.cases import ALL_PACKAGES, SCOPE
from components.monitoring.metrics import METRICS, metric, series_in
from components.monitoring.rule import STAGES
from components.monitoring.selection import MonitoredEnvironment, select

EXPRESSIONS = sorted(
    {rule.expression for stage in STAGES for rule in select(MonitoredEnvironment(stage, ALL_PACKAGES, SCOPE)).active}
)

COMPARISONS = {"==", "!=", ">", "<", ">=", "<="}
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


def not_compared(expression: str) -> list[str]:
    """The API stores expressions that do not end in a comparison, and fires for every series of them."""
    root = promql.parse(expression)
    if not isinstance(root, promql.BinaryExpr) or not isinstance(root.rhs, promql.NumberLiteral):
        return [expression]
    return [] if str(root.op) in COMPARISONS else [expression]


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


def long_windows(expression: str) -> list[str]:
    return [
        str(node)
        for node in nodes(expression)
        if isinstance(node, promql.MatrixSelector) and node.range > LONGEST_WINDOW
    ]


CHECKS: dict[str, tuple[Callable[[str], list[str]], str]] = {
    "ends in a comparison": (not_compared, 'kube_pod_status_phase{cluster="a"} / 2'),
    "names what it looks at": (without_place, 'kube_pod_status_phase{phase="Failed"} > 0'),
    "reads metrics that exist": (unknown_metrics, 'kube_job_failed{cluster="a"} > 0'),
    "names the resource": (without_resource, 'kubernetes_io:container_restart_count{cluster_name="a"} > 0'),
    "takes rates of counters": (wrong_functions, 'rate(kube_pod_status_phase{cluster="a"}[5m]) > 0'),
    "takes rates of every counter": (wrong_functions, 'apiserver_request_total{cluster="a"} > 0'),
    "looks at a day at most": (long_windows, 'max_over_time(kube_pod_status_phase{cluster="a"}[25h]) > 0'),
}


@pytest.mark.parametrize("name", CHECKS)
def test_every_expression(name: str) -> None:
    check, wrong = CHECKS[name]
    assert check(wrong), "the check finds nothing"
    assert [problem for expression in EXPRESSIONS for problem in check(expression)] == []


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_metrics_of_an_expression_are_found_without_a_parser(expression: str) -> None:
    assert series_in(expression) == {selector.name for selector in selectors(expression)}


def test_every_listed_metric_is_read() -> None:
    read = {name.removesuffix("_bucket") for expression in EXPRESSIONS for name in series_in(expression)}
    assert read == METRICS.keys()
