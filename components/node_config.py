"""The blocks of the provider's node pool that the settings of a pool become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from components.gpu import guest_accelerator
from components.node_defaults import NO_READ_ONLY_PORT, SCOPES, SHIELDED, WORKLOAD_METADATA
from components.node_pool import POOL_LABEL, NodePoolSettings

if TYPE_CHECKING:
    import pulumi
    import pulumi_gcp as gcp


def upgrade_settings(pool: NodePoolSettings) -> gcp.container.NodePoolUpgradeSettingsArgsDict:
    """The pool's `upgrade_settings`."""
    if pool.upgrade == "surge":
        return {"strategy": "SURGE", "max_surge": 1, "max_unavailable": 0}
    return {
        "strategy": "BLUE_GREEN",
        "blue_green_settings": {
            "node_pool_soak_duration": f"{pool.soak_seconds}s",
            "standard_rollout_policy": {"batch_percentage": 0.34, "batch_soak_duration": "300s"},
        },
    }


def node_config(
    key: str,
    pool: NodePoolSettings,
    node_account: pulumi.Input[str],
    disk_key: pulumi.Input[str] | None,
    labels: Mapping[str, str],
) -> gcp.container.NodePoolNodeConfigArgsDict:
    """The pool's `node_config`."""
    config: gcp.container.NodePoolNodeConfigArgsDict = {
        "machine_type": pool.machine_type,
        "spot": pool.spot,
        "image_type": "COS_CONTAINERD",
        "disk_size_gb": pool.disk_size_gb,
        "disk_type": pool.disk_type,
        "service_account": node_account,
        "oauth_scopes": SCOPES,
        "labels": {POOL_LABEL: key, **pool.labels},
        "resource_labels": dict(labels),
        "taints": [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in pool.taints],
        "shielded_instance_config": SHIELDED,
        "workload_metadata_config": WORKLOAD_METADATA,
        "metadata": {"disable-legacy-endpoints": "true"},
        "kubelet_config": NO_READ_ONLY_PORT,
    }
    if disk_key is not None:
        config["boot_disk_kms_key"] = disk_key
    if pool.gpu is not None:
        config["guest_accelerators"] = [guest_accelerator(pool.gpu)]
    if pool.reservation is not None:
        config["reservation_affinity"] = {
            "consume_reservation_type": "SPECIFIC_RESERVATION",
            "key": "compute.googleapis.com/reservation-name",
            "values": [pool.reservation],
        }
    if pool.gvisor:
        config["sandbox_config"] = {"type": "GVISOR"}
    return config
