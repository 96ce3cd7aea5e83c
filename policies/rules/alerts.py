"""Rules for alerts: somebody hears of what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.type_tokens import ALERT_POLICY, BUDGET, CLUSTER, LOG_BUCKET
from policies.rule import UNKNOWN, CheckedResource, StackContext, resource_rule, stack_rule

_HEARD = ("CRITICAL", "ERROR")
"""Severities of alerts that a person acts on: pages and tickets."""


@resource_rule("alert-channel", ALERT_POLICY, source="design: docs/alerts.md")
def channel(alert: CheckedResource, _: StackContext) -> Iterator[str]:
    """Alerts that page a person or open a ticket notify a channel, and are on."""
    yield from alert.must("enabled", be=True)
    if alert.get("severity") in _HEARD and alert.lacks("notificationChannels"):
        yield f"no channel is notified of severity {alert.get('severity')}; add one to monitoring.routes"


@stack_rule("cluster-alerts", CLUSTER, ALERT_POLICY, source="design: docs/alerts.md")
def cluster_alerts(
    resources: Sequence[CheckedResource], context: StackContext
) -> Iterator[tuple[CheckedResource, str]]:
    """Every cluster of a long-lived environment has alerts."""
    if context.kind != "ephemeral" and not any(resource.type == ALERT_POLICY for resource in resources):
        for resource in resources:
            yield resource, "cluster has no monitoring.AlertPolicy; add monitoring to the stack file"


@stack_rule("production-budget", ALERT_POLICY, BUDGET, source="design: docs/alerts.md")
def production_budget(resources: Sequence[CheckedResource], _: StackContext) -> Iterator[tuple[CheckedResource, str]]:
    """An environment whose alerts page people, as those of production do, has a budget."""
    if not any(resource.type == BUDGET for resource in resources):
        for alert in _first_page(resources):
            yield alert, "the environment pages people and has no budget; add monitoring.budget"


@stack_rule("production-audit-logs", ALERT_POLICY, LOG_BUCKET, source="CIS GCP 2.2; design: docs/alerts.md")
def production_audit_logs(
    resources: Sequence[CheckedResource], _: StackContext
) -> Iterator[tuple[CheckedResource, str]]:
    """An environment whose alerts page people keeps logs of who read what in a bucket of their own."""
    if not any(_is_own_bucket(resource) for resource in resources):
        for alert in _first_page(resources):
            yield (
                alert,
                "the environment pages people and deletes logs of who read what after 30 days; add logs.audit_days",
            )


def _first_page(resources: Sequence[CheckedResource]) -> Sequence[CheckedResource]:
    """One alert that wakes a person, to report what is missing once; empty without such an alert."""
    return [item for item in resources if item.type == ALERT_POLICY and item.get("severity") == "CRITICAL"][:1]


def _is_own_bucket(resource: CheckedResource) -> bool:
    """Whether it is a bucket of logs that the environment made; each project has `_Default` and `_Required`."""
    if resource.type != LOG_BUCKET:
        return False
    bucket = resource.get("bucketId", "")
    return bucket is UNKNOWN or not str(bucket).startswith("_")
