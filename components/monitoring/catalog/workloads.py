"""Rules about pods, the controllers above them, and their volumes."""

from __future__ import annotations

from components.monitoring.rule import AlertRule, Severities, Threshold

_AVAILABLE = "max by (namespace, deployment) (kube_deployment_status_replicas_available{$workloads})"
_WANTED = "max by (namespace, deployment) (kube_deployment_spec_replicas{$workloads})"
_UPDATED = "max by (namespace, deployment) (changes(kube_deployment_status_replicas_updated{$workloads}[10m]))"

_READY = "max by (namespace, statefulset) (kube_statefulset_status_replicas_ready{$workloads})"
_STATEFUL = "max by (namespace, statefulset) (kube_statefulset_replicas{$workloads})"
_STATEFUL_UPDATED = (
    "max by (namespace, statefulset) (changes(kube_statefulset_status_replicas_updated{$workloads}[10m]))"
)

_SCALER = "max by (namespace, horizontalpodautoscaler)"
_SCALED = "kube_horizontalpodautoscaler_"
_CURRENT = f"{_SCALER} ({_SCALED}status_current_replicas{{$workloads}})"
_MOST = f"{_SCALER} ({_SCALED}spec_max_replicas{{$workloads}})"
_LEAST = f"{_SCALER} ({_SCALED}spec_min_replicas{{$workloads}})"

_CLAIM = "max by (persistentvolumeclaim_namespace, persistentvolumeclaim_name)"
# Volumes without a claim are on the disk of the node, which node-pressure watches.
_USED = f'{_CLAIM} (kubernetes_io:pod_volume_utilization{{$pods,persistentvolumeclaim_name!=""}})'

_FREE = "kubelet_volume_stats_available_bytes{$workloads}"
_FREE_RATIO = f"{_FREE} / kubelet_volume_stats_capacity_bytes{{$workloads}}"
_FULL_IN_DAYS = f"predict_linear({_FREE}[6h], 4 * 24 * 3600) < 0"

RULES = (
    AlertRule(
        id="pod-crash-looping",
        title="A container crashes again and again",
        value="max by (namespace, pod, container) (max_over_time("
        'kube_pod_container_status_waiting_reason{$workloads,reason="CrashLoopBackOff"}[5m]))',
        threshold=Threshold("==", 1),
        minutes=15,
        severities=Severities(production="ticket", test="note", build="note"),
    ),
    AlertRule(
        id="deployment-unavailable",
        title="No replica of a deployment is available",
        value=f"({_AVAILABLE} and on (namespace, deployment) {_WANTED} > 0)",
        threshold=Threshold("==", 0),
        minutes=5,
        severities=Severities(production="page", test="ticket"),
    ),
    AlertRule(
        id="deployment-short",
        title="A deployment has fewer replicas than it asks for, and no rollout is in progress",
        value=f"(({_WANTED} - {_AVAILABLE}) unless on (namespace, deployment) {_UPDATED} > 0)",
        threshold=Threshold(">", 0, "replicas"),
        minutes=15,
        severities=Severities(production="ticket", test="note"),
        effect_of="nodes",
    ),
    AlertRule(
        id="statefulset-short",
        title="A stateful set has fewer replicas than it asks for, and no rollout is in progress",
        value=f"(({_STATEFUL} - {_READY}) unless on (namespace, statefulset) {_STATEFUL_UPDATED} > 0)",
        threshold=Threshold(">", 0, "replicas"),
        minutes=15,
        severities=Severities(production="ticket", test="note", build="ticket"),
        effect_of="nodes",
    ),
    AlertRule(
        id="container-waiting",
        title="A container cannot start",
        value="sum by (namespace, pod, container, reason) (kube_pod_container_status_waiting_reason"
        '{$workloads,reason!~"CrashLoopBackOff|ContainerCreating|PodInitializing"})',
        threshold=Threshold(">", 0),
        minutes=15,
        severities=Severities(production="ticket", test="ticket", build="note"),
    ),
    AlertRule(
        id="pod-unschedulable",
        title="No node has room for a pod",
        value="sum by (namespace, pod) (kube_pod_status_unschedulable{$workloads})",
        threshold=Threshold(">", 0),
        minutes=15,
        severities=Severities(production="ticket", test="note"),
        effect_of="nodes",
    ),
    AlertRule(
        id="autoscaler-at-limit",
        title="An autoscaler is at its maximum",
        value=f"({_CURRENT} / {_MOST} and on (namespace, horizontalpodautoscaler) {_MOST} > {_LEAST})",
        threshold=Threshold(">=", 100, "%"),
        minutes=30,
        severities=Severities(production="note"),
    ),
    AlertRule(
        id="container-restarts",
        title="A container restarts often",
        value="sum by (namespace_name, pod_name, container_name) "
        "(increase(kubernetes_io:container_restart_count{$containers}[30m]))",
        threshold=Threshold(">", 5, "restarts"),
        minutes=0,
        severities=Severities(production="ticket", test="note", build="note"),
    ),
    AlertRule(
        id="container-memory",
        title="A container is close to its memory limit",
        value="max by (namespace_name, pod_name, container_name) "
        '(kubernetes_io:container_memory_limit_utilization{$containers,memory_type="non-evictable"})',
        threshold=Threshold(">", 95, "%"),
        minutes=15,
        severities=Severities(production="ticket"),
    ),
    AlertRule(
        id="volume-filling",
        title="A volume is filling up",
        value=_USED,
        threshold=Threshold(">", 85, "%"),
        minutes=10,
        severities=Severities(production="ticket", test="ticket", build="ticket"),
    ),
    AlertRule(
        id="volume-full",
        title="A volume is almost full",
        value=_USED,
        threshold=Threshold(">", 95, "%"),
        minutes=10,
        severities=Severities(production="page"),
    ),
    AlertRule(
        id="volume-trend",
        title="A volume will be full in four days",
        value=f"min by (namespace, persistentvolumeclaim) ({_FREE_RATIO} and {_FULL_IN_DAYS})",
        threshold=Threshold("<", 15, "%"),
        minutes=60,
        severities=Severities(production="ticket"),
    ),
    AlertRule(
        id="volume-errors",
        title="A persistent volume failed, or waits for its disk",
        value='max by (persistentvolume, phase) (kube_persistentvolume_status_phase{$cluster,phase=~"Failed|Pending"})',
        threshold=Threshold(">", 0),
        minutes=5,
        severities=Severities(production="ticket", test="ticket", build="ticket"),
    ),
)
