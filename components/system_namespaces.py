"""The namespaces that every GKE cluster has from the start: nobody else can create one of their names."""

from __future__ import annotations

NAMES = (
    "default",
    "kube-node-lease",
    "kube-public",
    "kube-system",
    "gke-gmp-system",
    "gmp-public",
    "gmp-system",
    "gke-managed-cim",
    "gke-managed-system",
    "gke-managed-volumepopulator",
)
"""What `kubectl get namespaces` lists in a new cluster.

https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces
https://cloud.google.com/stackdriver/docs/managed-prometheus/setup-managed
"""
PREFIXES = ("kube-", "gke-managed-")
"""Prefixes that Kubernetes and GKE reserve for namespaces of later versions."""


def is_system(namespace: str) -> bool:
    """Whether a name belongs to Kubernetes or GKE."""
    return namespace in NAMES or namespace.startswith(PREFIXES)
