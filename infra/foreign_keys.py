"""Keys of other tools, with what a stack file says instead.

They are the names of Terraform's google modules, of the providers' resources and of gcloud's flags that people copy.
Each entry is a regular expression of the path, and the message; `{key}` is the last part of the path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_AUTOPILOT = (
    "Autopilot is not supported: rootless builds need an unconfined seccomp profile, which it does not admit, and node "
    "pools are stated here; remove it (cluster.autoprovisioning adds and removes nodes by itself)"
)
_POOL = r"node_pools\.[^.]+\."
_INSTANCE = r"databases\.[^.]+\."

KEYS: Mapping[str, str] = {
    r"(cluster\.)?(enable_)?autopilot": _AUTOPILOT,
    r"(gpu|gpus|accelerators?|guest_accelerators?)": (
        "GPUs are of a node pool: node_pools.NAME.gpu, such as {{type: nvidia-l4, count: 1}}"
    ),
    r"(read_)?replicas?": "read replicas are of a database: databases.NAME.replicas, a map by name",
    r"(cluster\.)?(location|zones|node_locations|cluster_location|regional)": (
        "{key} is cluster.zone for a cluster in one zone; left out, the cluster is regional. The zones of "
        "nodes are node_pools.NAME.zones"
    ),
    r"(cluster\.)?(initial_node_count|remove_default_node_pool|node_config|node_pool)": (
        "the default pool of a cluster is removed; state the pools in node_pools, by name"
    ),
    r"(cluster\.)?(shared_vpc|network_project_id|host_project|network_host_project|network_project)": (
        "a Shared VPC is network.existing, with the host project in project (docs/existing-network.md)"
    ),
    r"(cluster\.)?(subnetwork|vpc|subnet|network_name)": (
        "a network that exists is network.existing, with network and subnetwork (docs/existing-network.md)"
    ),
    r"network\.(project|host_project|host|shared_vpc|name|network|vpc|subnetwork|subnet)(_name)?": (
        "a network that exists is network.existing, with project, network and subnetwork (docs/existing-network.md)"
    ),
    r"(cluster\.)?(ip_range_pods|cluster_secondary_range_name)": (
        "the range for pods is network.pods; its name in an existing subnet is network.existing.pods_range"
    ),
    r"(cluster\.)?(ip_range_services|services_secondary_range_name|services_ipv4_cidr)|network\.services": (
        "Kubernetes Services have the range 34.118.224.0/20 of GKE in every cluster; remove it"
    ),
    r"(cluster\.)?(master_ipv4_cidr_block|enable_private_endpoint|enable_private_nodes|private_cluster_config)": (
        "nodes are always private, and the control plane answers at its DNS endpoint only; remove it"
    ),
    r"(cluster\.)?master_authorized_networks(_config)?": (
        "the control plane answers at its DNS endpoint, guarded by IAM; remove it (cluster.break_glass opens addresses)"
    ),
    r"(cluster\.)?(kubernetes_version|min_master_version|version|cluster_version)": (
        "versions come by cluster.release_channel; remove it"
    ),
    rf"{_POOL}(accelerator|accelerators|guest_accelerator|guest_accelerators)": (
        "GPUs are gpu, such as {{type: nvidia-l4, count: 1}}"
    ),
    rf"{_POOL}(accelerator_type|gpu_type)": "the type of GPU is gpu.type, such as gpu: {{type: nvidia-l4, count: 1}}",
    rf"{_POOL}(accelerator_count|gpu_count|gpus)": "the number of GPUs is gpu.count, with gpu.type",
    rf"{_POOL}(gpu_driver_version|gpu_driver|gpu_sharing_strategy|max_shared_clients_per_gpu|gpu_partition_size)": (
        "{key} is a part of gpu: driver, sharing: {{strategy, clients}} or partition"
    ),
    rf"{_POOL}(node_locations|locations|zone)": "the zones of a pool are zones, a list",
    rf"{_POOL}(min_count|min_node_count|total_min_count|total_min_node_count)": "the least nodes are min_nodes",
    rf"{_POOL}(max_count|max_node_count|total_max_count|total_max_node_count)": "the most nodes are max_nodes",
    rf"{_POOL}(node_count|initial_node_count|num_nodes|autoscaling)": (
        "the autoscaler chooses the number of nodes between min_nodes and max_nodes; state these"
    ),
    rf"{_POOL}preemptible": "preemptible machines are spot: true",
    rf"{_POOL}reservation_affinity": "a reservation is reservation: NAME",
    rf"{_POOL}(local_(nvme_)?ssd_count|local_ssd_ephemeral_storage_count|(ephemeral_storage_)?local_ssd_config)": (
        "local SSDs are not supported: their data is lost with the node; use disk_type and disk_size_gb, and remove it"
    ),
    rf"{_POOL}(image_type|service_account|oauth_scopes|enable_secure_boot|auto_repair|auto_upgrade)": (
        "{key} is the same for all pools (docs/adr/0004-security-baseline.md); remove it"
    ),
    rf"{_POOL}(sandbox_enabled|sandbox_config|sandbox)": "GKE Sandbox is gvisor: true",
    rf"{_POOL}(max_surge|max_unavailable|strategy|upgrade_settings)": (
        "how nodes are upgraded is upgrade: surge or blue-green"
    ),
    rf"{_INSTANCE}(availability_type|ha|regional)": "a standby in another zone is high_availability: true",
    rf"{_INSTANCE}(disk_size|storage|storage_gb)": "the size of the disk is disk_size_gb",
    rf"{_INSTANCE}(disk_autoresize|disk_autoresize_limit)": "disks grow by themselves up to disk_limit_gb",
    rf"{_INSTANCE}(database_flags)": 'flags are flags, such as {{work_mem: "65536"}}',
    rf"{_INSTANCE}(backup_configuration|backup)": "backups are backups, with retained and point_in_time_days",
    rf"{_INSTANCE}(ip_configuration|private_network|authorized_networks|ipv4_enabled|public_ip)": (
        "databases have a private endpoint (Private Service Connect) and no other address; remove it"
    ),
    rf"{_INSTANCE}(read_replicas|read_replica|replica|replica_count)": "read replicas are replicas, a map by name",
    rf"{_INSTANCE}replicas\.[^.]+\.(backups|backup_configuration|databases|users|maintenance_day|maintenance_window)": (
        "{key} is the primary's, and Cloud SQL refuses it for a replica; remove it"
    ),
}


def foreign_key(path: str) -> str:
    """What to write instead of a key of another tool; "" for a key that no other tool has."""
    key = path.rpartition(".")[2].replace("-", "_")
    normal = f"{path.rpartition('.')[0]}.{key}".lstrip(".")
    message = next((message for known, message in KEYS.items() if re.fullmatch(known, normal)), "")
    return message.format(key=key) if message else ""
