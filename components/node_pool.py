"""The settings of one node pool; node_config.py has the blocks of the provider's resource that they become."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from components.forms import TextForm
from components.google import gpus, machines, reserved
from components.google.machines import DiskType
from components.google.tables import table
from components.gpu import TAINT, GpuSettings
from components.settings import Settings, Zone

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

    zones: tuple[Zone, ...] = ()
    """Zones of the nodes; left out, those of the cluster. For a new pool: removing it later changes nothing."""

    gpu: GpuSettings | None = None
    """GPUs of each machine; a change replaces the pool. Tenants use them by `size.quota.gpus`."""

    reservation: (
        Annotated[
            str,
            TextForm(
                r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$",
                "the name of a reservation: at most 63 lower-case letters, digits and hyphens, a letter first",
                "gpus-2027",
            ),
        ]
        | None
    ) = None
    """Reservation of Compute Engine in the project from which the machines come; a change replaces the pool."""

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
        if mistake := gpus.mistake(self.machine_type, None if self.gpu is None else (self.gpu.type, self.gpu.count)):
            raise ValueError(mistake)
        return self

    @model_validator(mode="after")
    def _gpu_fits(self) -> Self:
        if self.reservation is not None and self.spot:
            raise ValueError("reservation and spot exclude each other: spot machines never come from one; remove one")
        if self.gpu is None:
            return self
        if self.gvisor and (self.gpu.type in table("machine_series")["gpus_without_gvisor"] or self.gpu.sharing):
            raise ValueError("gvisor: GKE Sandbox has no shared GPUs and none older than the T4; set it to false")
        if any(taint.key == TAINT for taint in self.taints):
            raise ValueError(f"taints: GKE sets {TAINT} on nodes with GPUs by itself; remove it")
        return self

    @field_validator("zones")
    @classmethod
    def _zones_differ(cls, zones: tuple[str, ...]) -> tuple[str, ...]:
        for zone in zones:
            if zones.count(zone) > 1:
                raise ValueError(f"{zone} is there twice; remove one")
        return zones

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
        return self.gvisor or self.gpu is not None or any(taint.effect != "PREFER_NO_SCHEDULE" for taint in self.taints)
