"""The cluster, its nodes and what runs there, the network, and the hosts."""

from __future__ import annotations

from components.monitoring.dashboards.panel import RATIO, Dashboard, Panel

_NODE = "kubernetes_io:node_"

DASHBOARD = Dashboard(
    "cluster",
    "cluster",
    (
        Panel(
            "Nodes, by whether they are ready",
            "1",
            f'sum by (status) ({_NODE}status_condition{{$nodes,condition="Ready"}})',
        ),
        Panel(
            "CPU of nodes, of what pods may use",
            RATIO,
            f"max by (node_name) ({_NODE}cpu_allocatable_utilization{{$nodes}})",
        ),
        Panel(
            "Memory of nodes, of what pods may use",
            RATIO,
            f'max by (node_name) ({_NODE}memory_allocatable_utilization{{$nodes,memory_type="non-evictable"}})',
        ),
        Panel("Pods by phase", "1", "sum by (phase) (kube_pod_status_phase{$workloads})"),
        Panel.of("pod-unschedulable", "Pods without a node", "1"),
        Panel.of("container-waiting", "Containers that cannot start", "1"),
        Panel.of("container-restarts", "Restarts of containers in half an hour", "1"),
        Panel.of("container-memory", "Memory of containers, of their limit", RATIO),
        Panel.of("deployment-short", "Replicas that deployments lack", "1"),
        Panel.of("statefulset-short", "Replicas that stateful sets lack", "1"),
        Panel.of("autoscaler-at-limit", "Replicas of autoscalers, of their maximum", RATIO),
        Panel.of("volume-filling", "Space of volumes in use", RATIO),
        Panel.of("api-errors", "Errors of the Kubernetes API", RATIO),
        Panel.of("api-slow", "Duration of API requests, 99th percentile", "s"),
        Panel.of("webhook-slow", "Duration of admission webhooks, 99th percentile", "s"),
        Panel.of("nat-no-ports", "Packets that Cloud NAT drops in five minutes", "1"),
        Panel.of("uptime-fails", "Places from which a host answers as it should", RATIO),
        Panel.of("certificate-ends", "Days until the certificate of a host ends", "d"),
    ),
)
