"""Rules for alerts: somebody hears of what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.type_tokens import ALERT_POLICY, CLUSTER
from policies.rule import CheckedResource, StackContext, resource_rule, stack_rule

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
