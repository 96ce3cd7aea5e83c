"""Jenkins, its builds, and the jobs that deliver services and update environments."""

from __future__ import annotations

from components.monitoring.dashboards.panel import RATIO, Dashboard, Panel
from components.monitoring.metrics import LAST_RESULT

DASHBOARD = Dashboard(
    "jenkins",
    "Jenkins and delivery",
    (
        Panel.of("jenkins-queue", "Builds that wait in the queue", "1"),
        Panel("Executors at work", "1", "max(jenkins_executor_in_use_value{$jenkins})"),
        Panel("Builds in an hour", "1", "sum(increase(jenkins_runs_total_total{$jenkins}[1h]))"),
        Panel(
            "Builds that failed in an hour, of all",
            RATIO,
            "sum(increase(jenkins_runs_failure_total{$jenkins}[1h]))"
            " / (sum(increase(jenkins_runs_total_total{$jenkins}[1h])) > 0)",
            rule="builds-fail",
        ),
        Panel(
            "Last result of jobs that deliver services: 0 success, 2 failure",
            "1",
            f'max by (jenkins_job) ({LAST_RESULT}{{$jenkins,jenkins_job=~"platform/.+/.+",jenkins_job!~".+/preview"}})',
        ),
        Panel(
            "Last result of jobs that update environments: 0 success, 2 failure",
            "1",
            f'max by (jenkins_job) ({LAST_RESULT}{{$jenkins,jenkins_job=~"platform-changes/.+"}})',
        ),
        Panel("Pods of builds by phase", "1", "sum by (phase) (kube_pod_status_phase{$builds})"),
        Panel.of("build-unschedulable", "Pods of builds without a node", "1"),
        Panel.of("jenkins-unhealthy", "Health checks that pass", RATIO),
    ),
)
