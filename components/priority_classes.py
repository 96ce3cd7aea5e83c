"""Priority classes of pods: `components/baseline.py` declares those of all clusters, Jenkins adds its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_kubernetes as kubernetes


@dataclass(frozen=True)
class Priority:
    """A priority class."""

    name: str
    value: int
    preemption: Literal["PreemptLowerPriority", "Never"]
    """Whether waiting pods evict pods of a lower priority."""
    description: str


def priority_classes(
    name: str, priorities: Mapping[str, Priority], opts: pulumi.ResourceOptions
) -> list[kubernetes.scheduling.v1.PriorityClass]:
    """Declare priority classes, by the key in their logical name."""
    return [
        kubernetes.scheduling.v1.PriorityClass(
            f"{name}-priority-{key}",
            metadata={"name": priority.name},
            value=priority.value,
            preemption_policy=priority.preemption,
            description=priority.description,
            opts=opts,
        )
        for key, priority in priorities.items()
    ]
