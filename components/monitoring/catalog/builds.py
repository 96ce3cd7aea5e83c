"""Rules about Jenkins and its builds."""

from __future__ import annotations

from components.monitoring.metrics import LAST_RESULT
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
    AlertRule(
        id="jenkins-down",
        title="Jenkins does not work",
        # Also true while nothing answers, when there is no series.
        value="absent(default_jenkins_up{$jenkins} == 1)",
        threshold=Threshold("==", 1),
        minutes=15,
        severities=Severities(build="ticket"),
    ),
    AlertRule(
        id="jenkins-unhealthy",
        title="A health check of Jenkins fails",
        value="min(jenkins_health_check_score{$jenkins})",
        threshold=Threshold("<", 1),
        minutes=15,
        severities=Severities(build="ticket"),
    ),
    AlertRule(
        id="jenkins-queue",
        title="Many builds wait in the queue of Jenkins",
        value="max(jenkins_queue_buildable_value{$jenkins})",
        threshold=Threshold(">", 10, "builds"),
        minutes=20,
        severities=Severities(build="ticket"),
    ),
    AlertRule(
        id="builds-fail",
        title="Most builds fail",
        # Of more than 10 in an hour: then the reason is not one repository.
        value="sum(increase(jenkins_runs_failure_total{$jenkins}[1h]))"
        " / (sum(increase(jenkins_runs_total_total{$jenkins}[1h])) > 10)",
        threshold=Threshold(">", 80, "%"),
        minutes=0,
        severities=Severities(build="ticket"),
    ),
    AlertRule(
        id="platform-job-fails",
        title="A job that updates environments fails",
        value=f'max by (jenkins_job) ({LAST_RESULT}{{$jenkins,jenkins_job=~"platform-changes/.+"}} == bool 2)',
        threshold=Threshold("==", 1),
        minutes=15,
        severities=Severities(build="ticket"),
    ),
    AlertRule(
        id="deploy-fails",
        title="A release or deploy of a service fails",
        value=f"max by (jenkins_job) ({LAST_RESULT}"
        '{$jenkins,jenkins_job=~"platform/.+/.+",jenkins_job!~".+/preview"} == bool 2)',
        threshold=Threshold("==", 1),
        minutes=15,
        severities=Severities(build="note"),
    ),
)
