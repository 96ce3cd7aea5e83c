"""Node pools that GKE adds by itself, and how eagerly idle nodes go: settings and the block they become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from components.node_defaults import SCOPES, SHIELDED
from components.settings import Settings

if TYPE_CHECKING:
    import pulumi
    import pulumi_gcp as gcp

AutoscalingProfile = Literal["BALANCED", "OPTIMIZE_UTILIZATION"]


class AutoprovisioningSettings(Settings):
    """Node pools that GKE makes by itself for pods that fit no other, within limits."""

    max_cpu: Annotated[int, Field(ge=1, le=100_000)]
    """Most CPUs of the cluster, including the pools of this stack."""

    max_memory_gb: Annotated[int, Field(ge=1, le=1_000_000)]
    """Most memory of the cluster, GB, including the pools of this stack."""

    disk_size_gb: Annotated[int, Field(ge=20, le=65536)] = 100
    """Boot disk of such a node, GB."""


def cluster_autoscaling(
    limits: AutoprovisioningSettings | None,
    profile: AutoscalingProfile,
    node_account: pulumi.Input[str],
    disk_key: pulumi.Input[str] | None,
) -> gcp.container.ClusterClusterAutoscalingArgsDict:
    """The cluster's `cluster_autoscaling`: the profile, and what nodes are like that GKE adds by itself."""
    if limits is None:
        return {"enabled": False, "autoscaling_profile": profile}
    defaults: gcp.container.ClusterClusterAutoscalingAutoProvisioningDefaultsArgsDict = {
        "service_account": node_account,
        "oauth_scopes": SCOPES,
        "image_type": "COS_CONTAINERD",
        "disk_size": limits.disk_size_gb,
        "disk_type": "pd-balanced",
        "shielded_instance_config": SHIELDED,
        "management": {"auto_repair": True, "auto_upgrade": True},
        "upgrade_settings": {"strategy": "SURGE", "max_surge": 1, "max_unavailable": 0},
    }
    if disk_key is not None:
        defaults["boot_disk_kms_key"] = disk_key
    return {
        "enabled": True,
        "autoscaling_profile": profile,
        "default_compute_class_enabled": True,
        "resource_limits": [
            {"resource_type": "cpu", "minimum": 0, "maximum": limits.max_cpu},
            {"resource_type": "memory", "minimum": 0, "maximum": limits.max_memory_gb},
        ],
        "auto_provisioning_defaults": defaults,
    }
