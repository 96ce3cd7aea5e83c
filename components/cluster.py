"""The GKE cluster of an environment and the account its nodes run as.

Owns: the control plane and all its settings, the nodes' service account and what that may do.
Does not own: node pools (components/node_pools.py), anything inside the cluster.

Traps:
- The control plane answers on its DNS endpoint alone, guarded by IAM. With the IP endpoints off the provider reads
  `enable_private_endpoint` back as true, and never sends authorized networks: stating anything else never settles.
- Leaving a property out does not switch it off (most are optional and computed): every switch is written down.
- The default pool is created and removed at once. A difference in it replaces the cluster, hence the ignored
  properties.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components.autoprovisioning import cluster_autoscaling
from components.cluster_endpoints import authorized_networks, dns_endpoint, endpoints, private_nodes
from components.cluster_monitoring import logging_config, monitoring_config
from components.cluster_settings import SECRET_ROTATION_SECONDS, ClusterSettings
from components.maintenance import maintenance_policy
from components.network_refs import NetworkRefs
from components.node_account import node_account
from components.node_defaults import NO_READ_ONLY_PORT, default_pool, node_pool_defaults


@dataclass(frozen=True)
class ClusterKeys:
    """Keys of our own, in the cluster's region; Google's key is used where one is missing."""

    secrets: pulumi.Input[str] | None = None
    """Encrypts Kubernetes Secrets in the control plane's store (CIS GKE 5.3.1)."""

    disks: pulumi.Input[str] | None = None
    """Encrypts boot disks (CIS GKE 5.9.1)."""


class GkeCluster(pulumi.ComponentResource):
    """A private cluster: IAM-gated DNS endpoint, Dataplane V2, workload identity, no default pool."""

    cluster_id: pulumi.Output[str]
    cluster_name: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    location: pulumi.Output[str]
    node_account: pulumi.Output[str]
    workload_pool: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: ClusterSettings,
        *,
        physical_name: str,
        region: str,
        project_id: pulumi.Input[str],
        network: NetworkRefs,
        keys: ClusterKeys,
        backed_up: bool,
        secret_sync: bool = False,
        labels: dict[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:cluster:GkeCluster", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        account = node_account(
            name,
            physical_name=physical_name,
            project_id=project_id,
            image_streaming=settings.image_streaming,
            opts=child,
        )
        cluster = gcp.container.Cluster(
            f"{name}-cluster",
            name=physical_name,
            location=settings.zone or region,
            deletion_protection=settings.deletion_protection,
            resource_labels=labels,
            network=network.network_id,
            subnetwork=network.subnetwork_id,
            networking_mode="VPC_NATIVE",
            ip_allocation_policy=network.ip_allocation(),
            datapath_provider="ADVANCED_DATAPATH",
            enable_cilium_clusterwide_network_policy=True,
            enable_fqdn_network_policy=settings.fqdn_network_policies,
            enable_intranode_visibility=settings.intranode_visibility,
            in_transit_encryption_config="IN_TRANSIT_ENCRYPTION_INTER_NODE_TRANSPARENT"
            if settings.encrypt_between_nodes
            else "IN_TRANSIT_ENCRYPTION_DISABLED",
            # Dataplane V2 enforces policies; the Calico switch is stated off for the tools that look for it.
            network_policy={"enabled": False},
            private_cluster_config=private_nodes(settings.break_glass),
            control_plane_endpoints_config=endpoints(settings.break_glass),
            master_authorized_networks_config=authorized_networks(settings.break_glass),
            master_auth={"client_certificate_config": {"issue_client_certificate": False}},
            enable_legacy_abac=False,
            anonymous_authentication_config={"mode": "LIMITED"},
            rbac_binding_config={
                "enable_insecure_binding_system_authenticated": False,
                "enable_insecure_binding_system_unauthenticated": False,
            },
            authenticator_groups_config={"security_group": settings.admin_group} if settings.admin_group else None,
            workload_identity_config={
                "workload_pool": pulumi.Output.format("{0}.svc.id.goog", project_id),
            },
            secret_manager_config={
                "enabled": True,
                "rotation_config": {"enabled": True, "rotation_interval": f"{SECRET_ROTATION_SECONDS}s"},
            },
            # Copies values into the API server: on where GKE itself reads one there (components/gateway/iap_client.py).
            secret_sync_config={
                "enabled": True,
                "rotation_config": {"enabled": True, "rotation_interval": f"{SECRET_ROTATION_SECONDS}s"},
            }
            if secret_sync
            else None,
            database_encryption={"state": "ENCRYPTED", "key_name": keys.secrets}
            if keys.secrets is not None
            else {"state": "DECRYPTED"},
            binary_authorization={"evaluation_mode": "PROJECT_SINGLETON_POLICY_ENFORCE"},
            enable_shielded_nodes=True,
            service_external_ips_config={"enabled": False},
            security_posture_config={"mode": "BASIC", "vulnerability_mode": "VULNERABILITY_DISABLED"},
            release_channel={"channel": settings.release_channel},
            maintenance_policy=maintenance_policy(settings.maintenance),
            gateway_api_config={"channel": "CHANNEL_STANDARD"},
            dns_config={"cluster_dns": "CLOUD_DNS", "cluster_dns_scope": "CLUSTER_SCOPE"},
            addons_config={
                "horizontal_pod_autoscaling": {"disabled": False},
                "http_load_balancing": {"disabled": False},
                "dns_cache_config": {"enabled": True},
                "gce_persistent_disk_csi_driver_config": {"enabled": True},
                "gke_backup_agent_config": {"enabled": backed_up},
            },
            cluster_autoscaling=cluster_autoscaling(
                settings.autoprovisioning, settings.autoscaling_profile, account.email, keys.disks
            ),
            cost_management_config={"enabled": True},
            logging_config=logging_config(settings.control_plane_logs),
            monitoring_config=monitoring_config(settings.control_plane_metrics, flow_metrics=settings.flow_metrics),
            node_pool_defaults=node_pool_defaults(image_streaming=settings.image_streaming),
            node_pool_auto_config={"node_kubelet_config": NO_READ_ONLY_PORT},
            initial_node_count=1,
            remove_default_node_pool=True,
            node_config=default_pool(account.email, keys.disks),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=account.roles,
                ignore_changes=["nodeConfig", "initialNodeCount"],
                # The provider's guard alone is met after pools and records are gone; this one before anything is.
                protect=settings.deletion_protection,
            ),
        )
        self.cluster_id, self.cluster_name, self.location = cluster.id, cluster.name, cluster.location
        self.endpoint = cluster.control_plane_endpoints_config.apply(dns_endpoint)
        self.node_account = account.email
        # Read back from the cluster: the pool exists only from the project's first cluster on, and grants to its
        # members fail before that.
        self.workload_pool = cluster.workload_identity_config.apply(lambda config: config.workload_pool or "")
        self.register_outputs(
            {
                "cluster_id": self.cluster_id,
                "cluster_name": self.cluster_name,
                "endpoint": self.endpoint,
                "location": self.location,
                "node_account": self.node_account,
                "workload_pool": self.workload_pool,
            }
        )
