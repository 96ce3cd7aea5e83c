"""One node pool: its settings, and the blocks of the provider's resource that they become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from components.forms import TextForm
from components.google import machines, reserved
from components.google.machines import DiskType
from components.node_defaults import NO_READ_ONLY_PORT, SCOPES, SHIELDED, WORKLOAD_METADATA
from components.settings import Settings

if TYPE_CHECKING:
    import pulumi
    import pulumi_gcp as gcp

PoolName = Annotated[
    str,
    TextForm(
        r"^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$",
        "a name of at most 20 lower-case letters, digits and hyphens, a letter first",
        "services",
    ),
]
"""Key of a pool; the provider adds its own suffix within the 40 characters GKE allows."""


LabelKey = Annotated[str, AfterValidator(reserved.label_key)]
"""Key of a node label or taint."""

KubernetesLabelValue = Annotated[str, AfterValidator(reserved.label_value)]
"""Value of a node label or taint."""

POOL_LABEL = "atwork.dev/pool"
"""Label of every node with the name of its pool; pods choose a pool by it."""


class TaintSettings(Settings):
    """A taint that keeps pods away which do not tolerate it."""

    key: LabelKey
    """Such as atwork.dev/pool, whose value is the pool's name."""

    value: KubernetesLabelValue
    """Value of the taint."""

    effect: Literal["NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"] = "NO_SCHEDULE"
    """What happens to pods without a toleration."""


class NodePoolSettings(Settings):
    """One pool of like machines, sized by the autoscaler between two totals."""

    machine_type: Annotated[
        str, TextForm(r"^[a-z][a-z0-9]*(-[a-z0-9]+)+$", "a Compute Engine machine type", "e2-standard-4")
    ]
    """Compute Engine machine type."""

    min_nodes: Annotated[int, Field(ge=0, le=1000)]
    """Least nodes over all zones."""

    max_nodes: Annotated[int, Field(ge=1, le=1000)]
    """Most nodes over all zones."""

    spot: bool = False
    """Cheaper machines that Google may take back at 30 seconds' notice."""

    disk_size_gb: Annotated[int, Field(ge=20, le=65536)] = 100
    """Boot disk, GB."""

    disk_type: DiskType = "pd-balanced"
    """Kind of boot disk."""

    labels: dict[LabelKey, KubernetesLabelValue] = Field(default_factory=dict)
    """Kubernetes labels of the nodes, in addition to `atwork.dev/pool`."""

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
        if mistake := machines.disk_mistake(self.machine_type, self.disk_type):
            raise ValueError(f"disk_type: {mistake}")
        if self.gvisor and (mistake := machines.gvisor_mistake(self.machine_type)):
            raise ValueError(f"gvisor: {mistake}")
        return self

    @field_validator("machine_type")
    @classmethod
    def _machine_type_exists(cls, machine_type: str) -> str:
        if mistake := machines.mistake(machine_type):
            raise ValueError(mistake)
        return machine_type

    @field_validator("labels")
    @classmethod
    def _pool_label_is_ours(cls, labels: dict[str, str]) -> dict[str, str]:
        if POOL_LABEL in labels:
            raise ValueError(f"{POOL_LABEL} is the label with the pool's name, which every node has; remove it")
        return labels

    @model_validator(mode="after")
    def _taints_differ(self) -> Self:
        pairs = [(taint.key, taint.effect) for taint in self.taints]
        for key, effect in pairs:
            if pairs.count((key, effect)) > 1:
                raise ValueError(f"taints: {key} with {effect} is there twice; remove one")
        return self

    @property
    def reserved(self) -> bool:
        """Whether a pod without tolerations cannot run here: GKE's own pods need a pool where they can."""
        return self.gvisor or any(taint.effect != "PREFER_NO_SCHEDULE" for taint in self.taints)


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
    if pool.gvisor:
        config["sandbox_config"] = {"type": "GVISOR"}
    return config
