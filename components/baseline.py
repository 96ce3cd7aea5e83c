"""Objects that every cluster has first: priority classes, a storage class, and roles for the kinds of services.

Owns: priority classes, the default storage class, the additions to the built-in roles `view` and `edit`.
Does not own: namespaces (components/tenant.py, components/jenkins/).

Traps: GKE also marks `standard-rwo` as the default storage class; Kubernetes uses the newest one, which is ours. The
parameters of a storage class cannot change in place.
"""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

from components.priority_classes import Priority, priority_classes

PRIORITIES = (
    Priority("platform", 1_000_000, "PreemptLowerPriority", "What the platform itself runs; services wait for it"),
    Priority("service", 100_000, "PreemptLowerPriority", "Services that somebody waits for"),
    Priority("batch", -10, "Never", "Work that can wait; it pushes nobody out and is the first to go"),
)
"""The priorities of workloads. System pods of GKE have much higher priorities."""

STORAGE_CLASS = "atwork-balanced"

OUR_KINDS = {
    "gateway.networking.k8s.io": ("httproutes",),
    "networking.gke.io": ("healthcheckpolicies",),
    "monitoring.googleapis.com": ("podmonitorings", "rules"),
    "secrets-store.csi.x-k8s.io": ("secretproviderclasses",),
}
"""Kinds that services use and that the built-in roles do not contain."""

GATEWAY_KINDS = {"gateway.networking.k8s.io": ("gateways",), "networking.gke.io": ("gcpbackendpolicies",)}
"""Kinds of the platform, which decide who reaches a service: teams only look at them."""


class Baseline(pulumi.ComponentResource):
    """Cluster-wide objects."""

    storage_class: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        disk_key: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:baseline:Baseline", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        priority_classes(name, {priority.name: priority for priority in PRIORITIES}, child)
        parameters: dict[str, pulumi.Input[str]] = {"type": "pd-balanced"}
        if disk_key is not None:
            parameters["disk-encryption-kms-key"] = disk_key
        storage = kubernetes.storage.v1.StorageClass(
            f"{name}-storage",
            metadata={
                "name": STORAGE_CLASS,
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            provisioner="pd.csi.storage.gke.io",
            parameters=parameters,
            reclaim_policy="Delete",
            allow_volume_expansion=True,
            volume_binding_mode="WaitForFirstConsumer",  # a volume is made where its pod can run
            opts=child,
        )
        for role, verbs in {
            "view": ["get", "list", "watch"],
            "edit": ["create", "delete", "deletecollection", "patch", "update"],
        }.items():
            kubernetes.rbac.v1.ClusterRole(
                f"{name}-{role}",
                metadata={
                    "name": f"atwork-{role}",
                    "labels": {f"rbac.authorization.k8s.io/aggregate-to-{role}": "true"},
                },
                rules=[
                    {"api_groups": [group], "resources": list(kinds), "verbs": verbs}
                    for group, kinds in [*OUR_KINDS.items(), *(GATEWAY_KINDS.items() if role == "view" else ())]
                ],
                opts=child,
            )
        self.storage_class = storage.metadata.apply(lambda metadata: metadata.name or STORAGE_CLASS)
        self.register_outputs({"storage_class": self.storage_class})
