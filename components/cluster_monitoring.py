"""Logs and metrics of a cluster: what the control plane adds to those of the system and the workloads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pulumi_gcp as gcp

LogComponent = Literal["APISERVER", "SCHEDULER", "CONTROLLER_MANAGER"]
MetricComponent = Literal["APISERVER", "SCHEDULER", "CONTROLLER_MANAGER", "CADVISOR", "KUBELET"]

_METRICS = ("SYSTEM_COMPONENTS", "POD", "DEPLOYMENT", "STATEFULSET", "DAEMONSET", "HPA", "STORAGE")


def metric_packages(control_plane: Sequence[MetricComponent]) -> frozenset[str]:
    """The packages of metrics that a cluster sends."""
    return frozenset({*_METRICS, *control_plane})


def logging_config(control_plane: Sequence[LogComponent]) -> gcp.container.ClusterLoggingConfigArgsDict:
    """The cluster's `logging_config`."""
    return {"enable_components": ["SYSTEM_COMPONENTS", "WORKLOADS", *control_plane]}


def monitoring_config(
    control_plane: Sequence[MetricComponent], *, flow_metrics: bool
) -> gcp.container.ClusterMonitoringConfigArgsDict:
    """The cluster's `monitoring_config`; managed Prometheus is always on."""
    return {
        "enable_components": [*_METRICS, *control_plane],
        "managed_prometheus": {"enabled": True},
        "advanced_datapath_observability_config": {"enable_metrics": flow_metrics, "enable_relay": False},
    }
