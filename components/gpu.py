"""GPUs of a node pool: settings, and the block of the provider's resource that they become.

Traps: every part of it replaces the pool (Google builds GPUs into the machines). GKE taints nodes with GPUs by itself
(`nvidia.com/gpu=present:NoSchedule`), and lets pods that request a GPU tolerate that: the taint is never stated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from components.forms import TextForm
from components.settings import Settings

if TYPE_CHECKING:
    import pulumi_gcp as gcp

TAINT = "nvidia.com/gpu"
"""Key of the taint, and name of the resource that pods request.
https://cloud.google.com/kubernetes-engine/docs/how-to/gpus"""

_DRIVERS = {"default": "DEFAULT", "latest": "LATEST", "none": "INSTALLATION_DISABLED"}
_STRATEGIES = {"time-sharing": "TIME_SHARING", "mps": "MPS"}


class GpuSharingSettings(Settings):
    """Several containers on one GPU, without protection from each other's memory use."""

    strategy: Literal["time-sharing", "mps"]
    """In turns, or at the same time by NVIDIA's Multi-Process Service."""

    clients: Annotated[int, Field(ge=2, le=48)]
    """Most containers on one GPU."""


class GpuSettings(Settings):
    """The GPUs of each machine of a pool."""

    type: Annotated[
        str, TextForm(r"^[a-z]+(-[a-z0-9]+)+$", "the type of a GPU as Compute Engine names it", "nvidia-l4")
    ]
    """Type, which some machine types contain (g2, a2, a3 ...) and others take (n1)."""

    count: Annotated[int, Field(ge=1, le=16)] = 1
    """GPUs of one machine."""

    driver: Literal["default", "latest", "none"] = "default"
    """Which of GKE's drivers is installed; with `none` your DaemonSet installs one."""

    sharing: GpuSharingSettings | None = None
    """Present where several containers share a GPU."""

    partition: Annotated[str, TextForm(r"^[1-7]g\.[0-9]{1,3}gb$", "a size of a part of a GPU", "1g.5gb")] | None = None
    """Size of the parts into which each GPU is divided (NVIDIA multi-instance GPU, A100 and newer)."""

    @model_validator(mode="after")
    def _can_be_divided(self) -> Self:
        divisible = ("nvidia-tesla-a100", "nvidia-a100-80gb", "nvidia-h", "nvidia-b", "nvidia-gb")
        if self.partition is not None and not self.type.startswith(divisible):
            raise ValueError(f"partition: {self.type} cannot be divided; remove it, or choose an A100 or newer")
        if self.partition is not None and self.sharing is not None and self.sharing.strategy == "mps":
            raise ValueError("sharing: mps and partition exclude each other in GKE; use time-sharing, or remove one")
        return self


def guest_accelerator(gpu: GpuSettings) -> gcp.container.NodePoolNodeConfigGuestAcceleratorArgsDict:
    """One entry of the pool's `guest_accelerators`."""
    block: gcp.container.NodePoolNodeConfigGuestAcceleratorArgsDict = {
        "type": gpu.type,
        "count": gpu.count,
        "gpu_driver_installation_config": {"gpu_driver_version": _DRIVERS[gpu.driver]},
    }
    if gpu.partition is not None:
        block["gpu_partition_size"] = gpu.partition
    if gpu.sharing is not None:
        block["gpu_sharing_config"] = {
            "gpu_sharing_strategy": _STRATEGIES[gpu.sharing.strategy],
            "max_shared_clients_per_gpu": gpu.sharing.clients,
        }
    return block
