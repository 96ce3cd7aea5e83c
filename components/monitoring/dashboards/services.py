"""All services of an environment: their error budgets, requests and replicas; readers choose a namespace."""

from __future__ import annotations

from components.monitoring.dashboards.panel import RATIO, Dashboard, Panel
from components.monitoring.rule import STAGES
from components.monitoring.slo import BUDGET, PERIOD, RECORDED_BAD, RECORDED_REQUESTS

_REQUESTS = "sum by (namespace) (rate(http_requests_total{$services}[5m]))"
_FAILURES = 'sum by (namespace) (rate(http_requests_total{$services,code=~"5.."}[5m]))'


def _of_period(name: str) -> str:
    return f"sum by (service, slo) (avg_over_time({name}{{$services}}[{PERIOD.days}d]))"


DASHBOARD = Dashboard(
    "services",
    "services",
    (
        Panel(
            f"Error budget that is left of {PERIOD.days} days",
            RATIO,
            f"1 - {_of_period(RECORDED_BAD)} / ({_of_period(RECORDED_REQUESTS)} > 0)"
            f" / max by (service, slo) ({BUDGET}{{$services}})",
        ),
        Panel(
            "Burn within hours, in multiples of what pages",
            "1",
            "max by (service, slo) (slo:page_burn:ratio{$services})",
            rule="slo-burn-fast",
        ),
        Panel(
            "Burn within days, in multiples of what opens a ticket",
            "1",
            "max by (service, slo) (slo:ticket_burn:ratio{$services})",
            rule="slo-burn-slow",
        ),
        Panel("Requests", "1/s", _REQUESTS),
        Panel("Requests that fail, of all", RATIO, f"({_FAILURES} or {_REQUESTS} * 0) / ({_REQUESTS} > 0)"),
        Panel(
            "Duration of requests, 99th percentile",
            "s",
            "histogram_quantile(0.99, "
            "sum by (le, namespace) (rate(http_request_duration_seconds_bucket{$services}[5m])))",
        ),
        Panel(
            "Replicas that are available",
            "1",
            "sum by (namespace, deployment) (kube_deployment_status_replicas_available{$services})",
        ),
        Panel(
            "Containers that cannot start",
            "1",
            "sum by (namespace, container, reason) (kube_pod_container_status_waiting_reason{$services})",
        ),
    ),
    stages=tuple(stage for stage in STAGES if stage != "build"),
    variable=True,
)
