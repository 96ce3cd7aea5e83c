"""Rules about the builds of Jenkins."""

from __future__ import annotations

from components.monitoring.rule import AlertRule, Severities, Threshold

RULES = (
    AlertRule(
        id="build-unschedulable",
        title="Builds wait for a node",
        # A pool that grows from no nodes takes minutes.
        value="count(kube_pod_status_unschedulable{$builds} == 1)",
        threshold=Threshold(">", 0, "pods"),
        minutes=20,
        severities=Severities(build="ticket"),
    ),
    AlertRule(
        id="build-pods-fail",
        title="Many pods of builds fail",
        value='sum(kube_pod_status_phase{$agents,phase=~"Failed|Unknown"})',
        threshold=Threshold(">", 5, "pods"),
        minutes=0,
        severities=Severities(build="ticket"),
    ),
)
