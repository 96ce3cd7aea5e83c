"""The node pools of a cluster, from a map: each key is one pool, and renaming it makes another.

Owns: pools. Does not own: the cluster, the nodes' account.

Traps: gVisor, spot and the disk key replace a pool; labels and taints change in place. Names are chosen by the
provider, so that the new pool stands before the old one is drained. The size is the autoscaler's:
`initial_node_count` is set once and ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

import pulumi
import pulumi_gcp as gcp
from pydantic import Field, model_validator

from components.machines import WITHOUT_GVISOR, disk_conflict
from components.settings import Settings

PoolName = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$")]
"""Key of a pool; the provider adds its own suffix within the 40 characters GKE allows."""


ENCRYPTED_NODES = 500
"""The most nodes of a cluster that encrypts between them.
https://cloud.google.com/kubernetes-engine/docs/how-to/enable-inter-node-transparent-encryption#limitations"""


class TaintSettings(Settings):
    """A taint that keeps pods away which do not tolerate it."""

    key: Annotated[str, Field(pattern=r"^([a-z0-9.-]+/)?[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """Such as atwork.dev/pool."""

    value: str
    """Value of the taint."""

    effect: Literal["NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"] = "NO_SCHEDULE"
    """What happens to pods without a toleration."""


class NodePoolSettings(Settings):
    """One pool of like machines, sized by the autoscaler between two totals."""

    machine_type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)+$", examples=["e2-standard-4"])]
    """Compute Engine machine type."""

    min_nodes: Annotated[int, Field(ge=0, le=1000)]
    """Least nodes over all zones."""

    max_nodes: Annotated[int, Field(ge=1, le=1000)]
    """Most nodes over all zones."""

    spot: bool = False
    """Cheaper machines that Google may take back at 30 seconds' notice."""

    disk_size_gb: Annotated[int, Field(ge=20, le=65536)] = 100
    """Boot disk, GB."""

    disk_type: Literal["pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"] = "pd-balanced"
    """Kind of boot disk."""

    labels: dict[str, str] = Field(default_factory=dict)
    """Kubernetes labels of the nodes, beside `atwork.dev/pool`."""

    taints: tuple[TaintSettings, ...] = ()
    """Taints; a change reaches the nodes that are there too."""

    upgrade: Literal["surge", "blue-green"] = "surge"
    """Whether nodes are replaced one by one, or a second set is filled and watched before the first goes."""

    soak_seconds: Annotated[int, Field(ge=0, le=604800)] = 3600
    """How long a blue/green upgrade watches the new nodes before the old ones go."""

    gvisor: bool = False
    """Whether pods run in gVisor sandboxes; a change replaces the pool."""

    deletion_protection: bool | None = None
    """Whether the provider refuses to delete or replace this pool; as the cluster where it is left out."""

    @model_validator(mode="after")
    def _sizes_in_order(self) -> Self:
        if self.min_nodes > self.max_nodes:
            raise ValueError(f"min_nodes {self.min_nodes} is above max_nodes {self.max_nodes}; swap or correct them")
        if self.upgrade == "blue-green" and self.soak_seconds == 0:
            raise ValueError(
                "upgrade blue-green with soak_seconds 0 watches nothing; give it time, such as 3600, or say surge"
            )
        return self

    @model_validator(mode="after")
    def _machine_supports_pool(self) -> Self:
        if conflict := disk_conflict(self.machine_type, self.disk_type):
            raise ValueError(f"disk_type: {conflict}, or choose another machine_type")
        if self.gvisor and self.machine_type in WITHOUT_GVISOR:
            raise ValueError(f"gvisor: {self.machine_type} cannot run it; choose a machine_type such as e2-standard-2")
        return self


def pool_conflicts(pools: Mapping[PoolName, NodePoolSettings], *, encrypted: bool) -> Iterator[str]:
    """Why a cluster cannot have these pools; `encrypted` is whether it encrypts traffic between nodes."""
    if all(pool.gvisor for pool in pools.values()):
        # https://cloud.google.com/kubernetes-engine/docs/how-to/sandbox-pods
        yield "node_pools: all have gvisor; GKE's own pods need one pool without it, so add one"
    nodes = sum(pool.max_nodes for pool in pools.values())
    if encrypted and nodes > ENCRYPTED_NODES:
        yield (
            f"cluster.encrypt_between_nodes allows {ENCRYPTED_NODES} nodes, and node_pools have up to {nodes}; "
            "lower max_nodes, or set it to false"
        )


class NodePools(pulumi.ComponentResource):
    """All node pools of one cluster."""

    names: dict[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: Mapping[PoolName, NodePoolSettings],
        *,
        cluster: pulumi.Input[str],
        node_account: pulumi.Input[str],
        disk_key: pulumi.Input[str] | None,
        labels: Mapping[str, str],
        image_streaming: bool,
        deletion_protection: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:node_pools:NodePools", name, {}, opts)
        self.names = {}
        for key, pool in settings.items():
            made = gcp.container.NodePool(
                f"{name}-{key}",
                cluster=cluster,
                initial_node_count=min(pool.min_nodes, 1),  # for each zone; the autoscaler does the rest
                autoscaling={
                    "total_min_node_count": pool.min_nodes,
                    "total_max_node_count": pool.max_nodes,
                    "location_policy": "ANY" if pool.spot else "BALANCED",
                },
                management={"auto_repair": True, "auto_upgrade": True},
                upgrade_settings=_upgrade(pool),
                node_drain_configs=[{"respect_pdb_during_node_pool_deletion": True}],
                network_config={"enable_private_nodes": True},
                node_config={
                    **_node_config(key, pool, node_account, disk_key, labels),
                    "gcfs_config": {"enabled": image_streaming},
                },
                deletion_policy="PREVENT" if _guarded(pool, cluster=deletion_protection) else "DELETE",
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=["initialNodeCount"]),
            )
            self.names[key] = made.name
        self.register_outputs({"names": self.names})


def _guarded(pool: NodePoolSettings, *, cluster: bool) -> bool:
    return cluster if pool.deletion_protection is None else pool.deletion_protection


def _upgrade(pool: NodePoolSettings) -> gcp.container.NodePoolUpgradeSettingsArgsDict:
    if pool.upgrade == "surge":
        return {"strategy": "SURGE", "max_surge": 1, "max_unavailable": 0}
    return {
        "strategy": "BLUE_GREEN",
        "blue_green_settings": {
            "node_pool_soak_duration": f"{pool.soak_seconds}s",
            "standard_rollout_policy": {"batch_percentage": 0.34, "batch_soak_duration": "300s"},
        },
    }


def _node_config(
    key: str,
    pool: NodePoolSettings,
    node_account: pulumi.Input[str],
    disk_key: pulumi.Input[str] | None,
    labels: Mapping[str, str],
) -> gcp.container.NodePoolNodeConfigArgsDict:
    config: gcp.container.NodePoolNodeConfigArgsDict = {
        "machine_type": pool.machine_type,
        "spot": pool.spot,
        "image_type": "COS_CONTAINERD",
        "disk_size_gb": pool.disk_size_gb,
        "disk_type": pool.disk_type,
        "service_account": node_account,
        # IAM limits the account; narrow scopes would only break it in ways that are hard to see.
        "oauth_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
        "labels": {"atwork.dev/pool": key, **pool.labels},
        "resource_labels": dict(labels),
        "taints": [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in pool.taints],
        "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
        "workload_metadata_config": {"mode": "GKE_METADATA"},
        "metadata": {"disable-legacy-endpoints": "true"},
        "kubelet_config": {"insecure_kubelet_readonly_port_enabled": "FALSE"},
    }
    if disk_key is not None:
        config["boot_disk_kms_key"] = disk_key
    if pool.gvisor:
        config["sandbox_config"] = {"type": "GVISOR"}
    return config
