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
from typing import Literal, Self

import pulumi
import pulumi_gcp as gcp
from pydantic import model_validator

from components.autoprovisioning import AutoprovisioningSettings, AutoscalingProfile, cluster_autoscaling
from components.cluster_endpoints import (
    BreakGlassSettings,
    authorized_networks,
    dns_endpoint,
    endpoints,
    private_nodes,
)
from components.cluster_monitoring import LogComponent, MetricComponent, logging_config, monitoring_config
from components.maintenance import MaintenanceSettings, maintenance_policy
from components.network import NetworkRefs
from components.node_account import node_account
from components.node_defaults import NO_READ_ONLY_PORT, default_pool, node_pool_defaults
from components.settings import Email, Settings, Zone


class ClusterSettings(Settings):
    """A GKE Standard cluster, safe as it comes. Stated values loosen or tune it."""

    zone: Zone | None = None
    """A zonal control plane: cheaper, and gone while it is upgraded. Left out, it is regional."""

    release_channel: Literal["RAPID", "REGULAR", "STABLE", "EXTENDED"] = "REGULAR"
    """How early versions arrive (CIS GKE 5.5.4)."""

    deletion_protection: bool = True
    """Whether a destroy is refused, by the engine before it begins and by the provider. Always stated."""

    maintenance: MaintenanceSettings = MaintenanceSettings()
    """When Google may upgrade, and when it must not."""

    autoscaling_profile: AutoscalingProfile = "BALANCED"
    """How eagerly idle nodes are removed."""

    autoprovisioning: AutoprovisioningSettings | None = None
    """Present where GKE may add pools of its own; pods choose machines by ComputeClass."""

    intranode_visibility: bool = True
    """Whether traffic between pods of one node is logged too (CIS GKE 5.6.1); it adds to the flow log bill."""

    encrypt_between_nodes: bool = False
    """Transparent encryption of traffic between nodes (WireGuard): 500 nodes at most, no FQDN network policies."""

    fqdn_network_policies: bool = False
    """Whether network policies may name hosts instead of addresses (FQDNNetworkPolicy); nothing here needs it."""

    admin_group: Email | None = None
    """Google Group `gke-security-groups@DOMAIN` whose members can be named in RBAC (CIS GKE 5.8.3)."""

    control_plane_logs: tuple[LogComponent, ...] = ("APISERVER",)
    """Control plane logs in addition to those of the system and the workloads."""

    control_plane_metrics: tuple[MetricComponent, ...] = ("APISERVER",)
    """Metrics in addition to those of the system and of Kubernetes objects."""

    image_streaming: bool = False
    """Whether containers start before their image is downloaded: faster for large images, slower for those that read
    most of their files at start. Nodes then need an API and a role in the project that holds the images, too."""

    flow_metrics: bool = True
    """Dataplane V2 metrics of connections and drops."""

    break_glass: BreakGlassSettings | None = None
    """Present only in an emergency."""

    @model_validator(mode="after")
    def _features_do_not_exclude_each_other(self) -> Self:
        # https://cloud.google.com/kubernetes-engine/docs/how-to/fqdn-network-policies (requirements and limitations)
        if self.encrypt_between_nodes and self.fqdn_network_policies:
            raise ValueError(
                "encrypt_between_nodes and fqdn_network_policies exclude each other in GKE; set one of them to false"
            )
        return self


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
                "rotation_config": {"enabled": True, "rotation_interval": "120s"},
            },
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
