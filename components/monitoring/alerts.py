"""Alert policies of an environment, from the catalog, and the channels that they notify.

Owns: one policy with one condition for each rule; e-mail and Pub/Sub channels. Does not own: channels with a secret.

Traps:
- A metric that nobody sends yet, as in a new project, is refused without `disable_metric_validation`
  (terraform-provider-google#20491).
- The API stores complex PromQL that does not mean what was sent (terraform-provider-google#21835): every expression
  ends in one comparison, which tests check.
- Rate limits of notifications exist for conditions about logs alone, and these must have one.
- Names of instances are known after their creation, so that the first preview of an environment shows no query of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pulumi
import pulumi_gcp as gcp

from components.monitoring.channels import notification_channels
from components.monitoring.logs import LogRule, log_filter
from components.monitoring.rule import POLICY_SEVERITY, Severity, alert_name
from components.monitoring.scope import Scope
from components.monitoring.selection import ActiveRule, MonitoredEnvironment, active_logs, left_out_logs, render, select
from components.monitoring.settings import MonitoringSettings

_CLOSED_AFTER = "86400s"
"""An incident whose series is gone is closed after a day: a deleted pod sends no value that ends it."""


class Alerts(pulumi.ComponentResource):
    """The alerts of an environment."""

    policies: dict[str, pulumi.Output[str]]
    """Resource names of the policies by the id of their rule."""
    channels: dict[str, pulumi.Input[str]]
    """Resource names of the channels by the key of their settings."""
    left_out: dict[str, str]
    """Rules that the environment does without, and why."""

    def __init__(
        self,
        name: str,
        settings: MonitoringSettings,
        *,
        environment: MonitoredEnvironment,
        scope: pulumi.Input[Scope],
        runbooks: str,
        agent: pulumi.Input[str] | None,
        labels: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:alerts:Alerts", name, {}, opts)
        selection = select(environment)
        self.channels = channels = notification_channels(
            name, settings.channels, agent=agent, labels=labels, parent=self
        )

        def policy(
            rule_id: str,
            title: str,
            severity: Severity,
            condition: gcp.monitoring.AlertPolicyConditionArgsDict,
            strategy: gcp.monitoring.AlertPolicyAlertStrategyArgsDict,
            team: str | None = None,
        ) -> pulumi.Output[str]:
            return gcp.monitoring.AlertPolicy(
                f"{name}-{rule_id}" if team is None else f"{name}-{rule_id}-{team}",
                display_name=title if team is None else f"{title} ({team})",
                combiner="OR",
                severity=POLICY_SEVERITY[severity],
                enabled=True,
                conditions=[condition],
                alert_strategy=strategy,
                notification_channels=[channels[key] for key in settings.routes.channels(severity, team)],
                documentation=_documentation(rule_id, title, environment.scope.cluster, runbooks),
                user_labels={**labels, "rule": rule_id, "severity": severity},
                opts=pulumi.ResourceOptions(parent=self),
            ).id

        self.policies = {
            active.rule.id: policy(
                active.rule.id, active.rule.title, active.severity, _query(active, scope), {"auto_close": _CLOSED_AFTER}
            )
            for active in selection.active
        }
        for active in selection.active:
            for team in settings.routes.teams if active.rule.each_team else ():
                self.policies[f"{active.rule.id}-{team}"] = policy(
                    active.rule.id,
                    active.rule.title,
                    active.severity,
                    _query(active, scope, team),
                    {"auto_close": _CLOSED_AFTER},
                    team,
                )
        for rule, severity in active_logs(environment):
            matched = _matched(rule, environment.scope.cluster, settings.audit_changes.expected_actors)
            strategy = _rate_limited(rule)
            self.policies[rule.id] = policy(rule.id, rule.title, severity, matched, strategy)
        self.left_out = {item.rule.id: item.reason for item in selection.left_out}
        self.left_out |= {rule.id: reason for rule, reason in left_out_logs(environment)}
        self.register_outputs({"policies": self.policies, "channels": self.channels, "left_out": self.left_out})


def _query(
    active: ActiveRule, scope: pulumi.Input[Scope], team: str | None = None
) -> gcp.monitoring.AlertPolicyConditionArgsDict:
    def query(known: Scope) -> str:
        return render(active.rule, active.threshold, replace(known, team=team), mutes=active.mutes)

    return {
        "display_name": active.rule.title,
        "condition_prometheus_query_language": {
            "query": pulumi.Output.from_input(scope).apply(query),
            "duration": f"{active.minutes * 60}s",
            "evaluation_interval": f"{active.interval}s",
            "rule_group": "atwork",
            "alert_rule": alert_name(active.rule.id),
            "disable_metric_validation": True,
        },
    }


def _matched(
    rule: LogRule, cluster: str, expected_actors: Sequence[str]
) -> gcp.monitoring.AlertPolicyConditionArgsDict:
    condition: gcp.monitoring.AlertPolicyConditionConditionMatchedLogArgsDict = {
        "filter": log_filter(rule, cluster=cluster, expected_actors=expected_actors)
    }
    if rule.labels:
        condition["label_extractors"] = rule.labels
    return {"display_name": rule.title, "condition_matched_log": condition}


def _rate_limited(rule: LogRule) -> gcp.monitoring.AlertPolicyAlertStrategyArgsDict:
    return {
        "auto_close": _CLOSED_AFTER,
        "notification_rate_limit": {"period": f"{rule.minutes_between * 60}s"},
    }


def _documentation(
    rule_id: str, title: str, environment: str, runbooks: str
) -> gcp.monitoring.AlertPolicyDocumentationArgsDict:
    page = f"{runbooks}/{rule_id}.md"
    return {
        "subject": f"{environment}: {title}",
        "content": f"{title} in {environment}. What to do: {page}",
        "mime_type": "text/markdown",
        "links": [{"display_name": "Runbook", "url": page}],
    }
