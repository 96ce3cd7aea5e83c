"""The metrics that rules and dashboards read: their kind, who sends them, and where Google says so. Plain data.

`package` is the component of `monitoring_config` that a cluster must send (components/cluster_monitoring.py); None for
metrics that Google's services send by themselves, and for those of Jenkins (components/jenkins/metrics.py). In PromQL,
a boolean is 0 or 1, and a DELTA is a counter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

LAST_RESULT = "default_jenkins_builds_last_build_result_ordinal"
"""Result of the last build of a job: 0 is success, 1 unstable, 2 failure, 3 not built, 4 aborted."""

Kind = Literal["gauge", "counter", "histogram"]

_KUBE_STATE = "https://cloud.google.com/kubernetes-engine/docs/how-to/kube-state-metrics"
_KUBELET = "https://cloud.google.com/kubernetes-engine/docs/how-to/cadvisor-kubelet-metrics"
_CONTROL_PLANE = "https://cloud.google.com/kubernetes-engine/docs/how-to/control-plane-metrics"
_SYSTEM = "https://cloud.google.com/monitoring/api/metrics_kubernetes"
_JENKINS = "https://plugins.jenkins.io/prometheus/"
_SERVICES = "https://cloud.google.com/monitoring/api/metrics_gcp"
_RECORDED = "components/monitoring/slo.py"
_TEMPLATE = "delivery/template/repository/app/metrics.py"


@dataclass(frozen=True)
class Metric:
    """A metric by its name in PromQL."""

    kind: Kind
    package: str | None
    source: str

    @property
    def system(self) -> bool:
        """Whether it is a metric of Cloud Monitoring, whose selectors must name the monitored resource."""
        return self.source in {_SYSTEM, _SERVICES}


METRICS: Mapping[str, Metric] = {
    "kube_pod_container_status_waiting_reason": Metric("gauge", "POD", _KUBE_STATE),
    "kube_pod_status_phase": Metric("gauge", "POD", _KUBE_STATE),
    "kube_pod_status_unschedulable": Metric("gauge", "POD", _KUBE_STATE),
    "kube_deployment_spec_replicas": Metric("gauge", "DEPLOYMENT", _KUBE_STATE),
    "kube_deployment_status_replicas_available": Metric("gauge", "DEPLOYMENT", _KUBE_STATE),
    "kube_deployment_status_replicas_updated": Metric("gauge", "DEPLOYMENT", _KUBE_STATE),
    "kube_statefulset_replicas": Metric("gauge", "STATEFULSET", _KUBE_STATE),
    "kube_statefulset_status_replicas_ready": Metric("gauge", "STATEFULSET", _KUBE_STATE),
    "kube_statefulset_status_replicas_updated": Metric("gauge", "STATEFULSET", _KUBE_STATE),
    "kube_horizontalpodautoscaler_spec_max_replicas": Metric("gauge", "HPA", _KUBE_STATE),
    "kube_horizontalpodautoscaler_spec_min_replicas": Metric("gauge", "HPA", _KUBE_STATE),
    "kube_horizontalpodautoscaler_status_current_replicas": Metric("gauge", "HPA", _KUBE_STATE),
    "kube_persistentvolume_status_phase": Metric("gauge", "STORAGE", _KUBE_STATE),
    "kubelet_volume_stats_available_bytes": Metric("gauge", "KUBELET", _KUBELET),
    "kubelet_volume_stats_capacity_bytes": Metric("gauge", "KUBELET", _KUBELET),
    "apiserver_request_total": Metric("counter", "APISERVER", _CONTROL_PLANE),
    "apiserver_request_duration_seconds": Metric("histogram", "APISERVER", _CONTROL_PLANE),
    "apiserver_admission_webhook_admission_duration_seconds": Metric("histogram", "APISERVER", _CONTROL_PLANE),
    "kubernetes_io:container_memory_limit_utilization": Metric("gauge", "SYSTEM_COMPONENTS", _SYSTEM),
    "kubernetes_io:container_restart_count": Metric("counter", "SYSTEM_COMPONENTS", _SYSTEM),
    "kubernetes_io:node_cpu_allocatable_utilization": Metric("gauge", "SYSTEM_COMPONENTS", _SYSTEM),
    "kubernetes_io:node_memory_allocatable_utilization": Metric("gauge", "SYSTEM_COMPONENTS", _SYSTEM),
    "kubernetes_io:node_status_condition": Metric("gauge", "SYSTEM_COMPONENTS", _SYSTEM),
    "kubernetes_io:pod_volume_utilization": Metric("gauge", "SYSTEM_COMPONENTS", _SYSTEM),
    LAST_RESULT: Metric("gauge", None, _JENKINS),
    "default_jenkins_up": Metric("gauge", None, _JENKINS),
    "jenkins_executor_in_use_value": Metric("gauge", None, _JENKINS),
    "jenkins_health_check_score": Metric("gauge", None, _JENKINS),
    "jenkins_queue_buildable_value": Metric("gauge", None, _JENKINS),
    "jenkins_runs_failure_total": Metric("counter", None, _JENKINS),
    "jenkins_runs_total_total": Metric("counter", None, _JENKINS),
    "cloudsql_googleapis_com:database_available_for_failover": Metric("gauge", None, _SERVICES),
    "cloudsql_googleapis_com:database_cpu_utilization": Metric("gauge", None, _SERVICES),
    "cloudsql_googleapis_com:database_disk_bytes_used": Metric("gauge", None, _SERVICES),
    "cloudsql_googleapis_com:database_disk_read_ops_count": Metric("counter", None, _SERVICES),
    "cloudsql_googleapis_com:database_disk_write_ops_count": Metric("counter", None, _SERVICES),
    "cloudsql_googleapis_com:database_memory_utilization": Metric("gauge", None, _SERVICES),
    "cloudsql_googleapis_com:database_network_connection_attempt_count": Metric("counter", None, _SERVICES),
    "cloudsql_googleapis_com:database_postgresql_num_backends": Metric("gauge", None, _SERVICES),
    "cloudsql_googleapis_com:database_postgresql_num_backends_by_state": Metric("gauge", None, _SERVICES),
    "cloudsql_googleapis_com:database_postgresql_transaction_count": Metric("counter", None, _SERVICES),
    "cloudsql_googleapis_com:database_postgresql_transaction_id_utilization": Metric("gauge", None, _SERVICES),
    "cloudsql_googleapis_com:database_replication_log_archive_failure_count": Metric("counter", None, _SERVICES),
    "cloudsql_googleapis_com:database_up": Metric("gauge", None, _SERVICES),
    "monitoring_googleapis_com:uptime_check_check_passed": Metric("gauge", None, _SERVICES),
    "monitoring_googleapis_com:uptime_check_time_until_ssl_cert_expires": Metric("gauge", None, _SERVICES),
    "router_googleapis_com:nat_dropped_sent_packets_count": Metric("counter", None, _SERVICES),
    "router_googleapis_com:nat_nat_allocation_failed": Metric("gauge", None, _SERVICES),
    "serviceruntime_googleapis_com:quota_exceeded": Metric("gauge", None, _SERVICES),
    "http_request_duration_seconds": Metric("histogram", None, _TEMPLATE),
    "http_requests_total": Metric("counter", None, _TEMPLATE),
    "slo:bad_requests:rate5m": Metric("gauge", None, _RECORDED),
    "slo:error_budget:ratio": Metric("gauge", None, _RECORDED),
    "slo:page_burn:ratio": Metric("gauge", None, _RECORDED),
    "slo:requests:rate5m": Metric("gauge", None, _RECORDED),
    "slo:ticket_burn:ratio": Metric("gauge", None, _RECORDED),
}


def metric(series: str) -> Metric:
    """The metric of a series; `KeyError` for one that is not listed."""
    base = series.removesuffix("_bucket")
    return METRICS[base if base in METRICS and METRICS[base].kind == "histogram" else series]


def series_in(expression: str) -> frozenset[str]:
    """The names of the series in a rendered expression, in which every selector has braces."""
    return frozenset(re.findall(r"([a-zA-Z_][a-zA-Z0-9_:]*)\{", expression))


def packages_of(expression: str) -> frozenset[str]:
    """The packages that a cluster must send for an expression."""
    packages = {metric(series).package for series in series_in(expression)}
    return frozenset(package for package in packages if package is not None)
