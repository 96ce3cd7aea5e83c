"""What every cluster has before anything runs in it: priorities, a storage class, roles that know our kinds.

Owns: priority classes, the default storage class, the additions to the built-in roles `view` and `edit`.
Does not own: namespaces (components/tenant.py, components/jenkins/).

Traps: GKE marks `standard-rwo` as the default storage class too; Kubernetes takes the newest, which is ours. The
parameters of a storage class never change in place.
"""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

PRIORITIES = {
    "platform": (1_000_000, "PreemptLowerPriority", "What the platform itself runs; services wait for it"),
    "service": (100_000, "PreemptLowerPriority", "Services that somebody waits for"),
    "batch": (-10, "Never", "Work that can wait; it pushes nobody out and is the first to go"),
}
"""Value, whether it pushes others out, and whom it is for. System pods of GKE stand far above all of them."""

STORAGE_CLASS = "atwork-balanced"

OUR_KINDS = {
    "gateway.networking.k8s.io": ("httproutes", "gateways"),
    "networking.gke.io": ("healthcheckpolicies", "gcpbackendpolicies"),
    "monitoring.googleapis.com": ("podmonitorings", "rules"),
    "secrets-store.csi.x-k8s.io": ("secretproviderclasses",),
}
"""Kinds that services bring and that the built-in roles do not know."""


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
        for key, (value, preemption, description) in PRIORITIES.items():
            kubernetes.scheduling.v1.PriorityClass(
                f"{name}-priority-{key}",
                metadata={"name": key},
                value=value,
                preemption_policy=preemption,
                description=description,
                opts=child,
            )
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
                    for group, kinds in OUR_KINDS.items()
                ],
                opts=child,
            )
        self.storage_class = storage.metadata.apply(lambda metadata: metadata.name or STORAGE_CLASS)
        self.register_outputs({"storage_class": self.storage_class})
