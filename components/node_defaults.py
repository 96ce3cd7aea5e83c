"""What every node has, whichever pool it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pulumi
    import pulumi_gcp as gcp

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
"""IAM limits the account; narrow scopes would only break it in ways that are hard to see."""

SHIELDED: Any = {"enable_secure_boot": True, "enable_integrity_monitoring": True}
"""Secure boot and integrity monitoring (CIS GKE 5.5.6, 5.5.7)."""

WORKLOAD_METADATA: Any = {"mode": "GKE_METADATA"}
"""Pods get workload identities and never the node's account (CIS GKE 5.4.1)."""

NO_READ_ONLY_PORT: Any = {"insecure_kubelet_readonly_port_enabled": "FALSE"}
"""The kubelet's unauthenticated port is closed."""


def default_pool(
    node_account: pulumi.Input[str], disk_key: pulumi.Input[str] | None
) -> gcp.container.ClusterNodeConfigArgsDict:
    """Nodes of the pool that GKE creates with a cluster, which is removed at once."""
    config: gcp.container.ClusterNodeConfigArgsDict = {
        "service_account": node_account,
        "shielded_instance_config": SHIELDED,
        "workload_metadata_config": WORKLOAD_METADATA,
    }
    if disk_key is not None:
        config["boot_disk_kms_key"] = disk_key
    return config


def node_pool_defaults(*, image_streaming: bool) -> gcp.container.ClusterNodePoolDefaultsArgsDict:
    """What autoprovisioned pools follow, which have no switch of their own."""
    return {
        "node_config_defaults": {
            "insecure_kubelet_readonly_port_enabled": "FALSE",
            "gcfs_config": {"enabled": image_streaming},
        }
    }
