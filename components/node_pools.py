"""The node pools of a cluster, from a map: each key is one pool, and renaming it makes another.

Owns: pools. Does not own: the cluster, the nodes' account.

Traps: gVisor, spot, GPUs, a reservation and the disk key replace a pool; labels, taints and zones change in place.
Names are chosen by the provider, so that the new pool stands before the old one is drained. The size is the
autoscaler's: `initial_node_count` is set once and ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pulumi
import pulumi_gcp as gcp

from components.google import reserved
from components.node_config import node_config, upgrade_settings
from components.node_pool import POOL_LABEL, NodePoolSettings, PoolName

ENCRYPTED_NODES = 500
"""The most nodes of a cluster that encrypts between them.
https://cloud.google.com/kubernetes-engine/docs/how-to/enable-inter-node-transparent-encryption#limitations"""


def pool_conflicts(pools: Mapping[PoolName, NodePoolSettings], *, encrypted: bool) -> Iterator[str]:
    """Why a cluster cannot have these pools; `encrypted` is whether it encrypts traffic between nodes."""
    for name, pool in pools.items():
        if mistake := reserved.pool_mistake(name):
            yield f"node_pools.{name}: {mistake}"
        for taint in pool.taints:
            if taint.key == POOL_LABEL and taint.value != name:
                yield (
                    f"node_pools.{name}.taints: {POOL_LABEL} is {taint.value}, and pods that choose the pool tolerate "
                    f"{name}; write {name}"
                )
    if all(pool.reserved for pool in pools.values()):
        # https://cloud.google.com/kubernetes-engine/docs/how-to/sandbox-pods
        # https://cloud.google.com/kubernetes-engine/docs/how-to/node-taints
        yield (
            "node_pools: all have gvisor or a taint, and GKE's own pods run on neither; add a pool without, or use the "
            "effect PREFER_NO_SCHEDULE in one"
        )
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
            node_pool = gcp.container.NodePool(
                f"{name}-{key}",
                cluster=cluster,
                node_locations=list(pool.zones) or None,
                initial_node_count=min(pool.min_nodes, 1),  # for each zone; the autoscaler does the rest
                autoscaling={
                    "total_min_node_count": pool.min_nodes,
                    "total_max_node_count": pool.max_nodes,
                    "location_policy": "ANY" if pool.spot else "BALANCED",
                },
                management={"auto_repair": True, "auto_upgrade": True},
                upgrade_settings=upgrade_settings(pool),
                node_drain_configs=[{"respect_pdb_during_node_pool_deletion": True}],
                network_config={"enable_private_nodes": True},
                node_config={
                    **node_config(key, pool, node_account, disk_key, labels),
                    "gcfs_config": {"enabled": image_streaming},
                },
                deletion_policy="PREVENT" if _guarded(pool, cluster=deletion_protection) else "DELETE",
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=["initialNodeCount"]),
            )
            self.names[key] = node_pool.name
        self.register_outputs({"names": self.names})


def _guarded(pool: NodePoolSettings, *, cluster: bool) -> bool:
    return cluster if pool.deletion_protection is None else pool.deletion_protection
