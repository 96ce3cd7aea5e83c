"""The form of the queries: what Cloud Monitoring must understand, and what would make a rule silent."""

from __future__ import annotations

from collections.abc import Callable

import promql_parser as promql
import pytest
from support.promql import long_windows, selectors, unknown_metrics, without_place, without_resource, wrong_functions

from atwork.alerts.cases import ALL_PACKAGES, SCOPE
from components.monitoring.dashboards import DASHBOARDS
from components.monitoring.dashboards.document import query
from components.monitoring.metrics import METRICS, series_in
from components.monitoring.rule import STAGES
from components.monitoring.selection import MonitoredEnvironment, select

EXPRESSIONS = sorted(
    {rule.expression for stage in STAGES for rule in select(MonitoredEnvironment(stage, ALL_PACKAGES, SCOPE)).active}
)

COMPARISONS = {"==", "!=", ">", "<", ">=", "<="}


def not_compared(expression: str) -> list[str]:
    """The API stores expressions that do not end in a comparison, and fires for every series of them."""
    root = promql.parse(expression)
    if not isinstance(root, promql.BinaryExpr) or not isinstance(root.rhs, promql.NumberLiteral):
        return [expression]
    return [] if str(root.op) in COMPARISONS else [expression]


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
    charts = [query(panel, SCOPE) for dashboard in DASHBOARDS for panel in dashboard.panels]
    read = {name.removesuffix("_bucket") for expression in [*EXPRESSIONS, *charts] for name in series_in(expression)}
    assert read == METRICS.keys()
