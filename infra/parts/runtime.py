"""Where things run: the cluster, its node pools, who reaches it, what is in it from the start, its backups."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.baseline import Baseline
from components.cluster import ClusterKeys, GkeCluster
from components.cluster_access import ClusterAccess
from components.cluster_backup import ClusterBackup
from components.node_pools import NodePools
from infra import providers
from infra.environment import Environment, through
from infra.parts.foundation import Foundation


@dataclass(frozen=True)
class Runtime:
    """`cluster_provider` makes the objects in the cluster."""

    cluster: GkeCluster
    access: ClusterAccess
    cluster_provider: pulumi.ProviderResource


def make(here: Environment, base: Foundation) -> Runtime:
    """Objects in the cluster wait for the node pools: a cluster without nodes runs nothing."""
    config, labels = here.config, here.labels
    disk_key = base.keys.key("disks", config.region)
    cluster = GkeCluster(
        "cluster",
        config.cluster,
        physical_name=here.physical_name,
        region=config.region,
        project_id=base.project.id,
        network=base.network,
        keys=ClusterKeys(base.keys.key("cluster", config.region), disk_key),
        backed_up=config.cluster_backup is not None,
        secret_sync=config.iap_client is not None,
        labels=labels,
        opts=base.google_options,
    )
    pools = NodePools(
        "pools",
        config.node_pools,
        cluster=cluster.cluster_id,
        node_account=cluster.node_account,
        disk_key=disk_key,
        labels=labels,
        image_streaming=config.cluster.image_streaming,
        deletion_protection=here.guarded,
        opts=base.google_options,
    )
    access = ClusterAccess(
        "cluster-access", project_id=base.project.id, admin_group=config.cluster.admin_group, opts=base.google_options
    )
    cluster_provider = providers.cluster(cluster.cluster_name, cluster.endpoint, after=[pools])
    Baseline("baseline", disk_key=disk_key, opts=through(cluster_provider))
    if config.cluster_backup is not None:
        ClusterBackup(
            "backup",
            config.cluster_backup,
            physical_name=here.physical_name,
            cluster_id=cluster.cluster_id,
            encryption_key=base.keys.key("backups", config.cluster_backup.location),
            labels=labels,
            opts=base.google_options,
        )
    return Runtime(cluster, access, cluster_provider)
