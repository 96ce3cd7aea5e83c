"""The section `cluster` of a stack file."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from components.autoprovisioning import AutoprovisioningSettings, AutoscalingProfile
from components.cluster_endpoints import BreakGlassSettings
from components.cluster_monitoring import LogComponent, MetricComponent
from components.maintenance import MaintenanceSettings
from components.settings import Email, Settings, Zone

CSI_DRIVER = "secrets-store-gke.csi.k8s.io"
"""CSI driver of the Secret Manager add-on.
https://cloud.google.com/secret-manager/docs/secret-manager-managed-csi-component"""

SECRET_ROTATION_SECONDS = 120
"""How often each pod reads its secrets of Secret Manager again."""


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
