"""CPU, memory and scratch disk of Jenkins' pods; capacity.py compares them with the quotas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from components.delivery import StoreName
from components.jenkins import names
from components.jenkins.value_types import ImageRole

TOOLS: Mapping[ImageRole, str] = {"crane": "256Mi", "helm": "256Mi", "gcloud": "512Mi"}
"""Memory of the containers next to BuildKit, by name."""

DEPLOY_TOOLS: tuple[ImageRole, ...] = ("helm", "gcloud")
"""Containers of a deploy pod."""

PROMOTE_TOOLS: tuple[ImageRole, ...] = ("crane", "helm", "gcloud")
"""Containers of a pod that releases a candidate."""

STORES: Mapping[StoreName, str] = {"postgres": "512Mi", "redis": "256Mi", "mysql": "1Gi"}
"""Memory of the data stores next to a test."""

AGENT: dict[str, Any] = {
    "requests": {"cpu": "200m", "memory": "512Mi", "ephemeralStorage": "1Gi"},
    "limits": {"cpu": "1", "memory": "512Mi", "ephemeralStorage": "2Gi"},
}
"""The agent's container of every pod, with the keys of the chart."""

APP: dict[str, Any] = {
    "requests": {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "1Gi"},
    "limits": {"memory": "1Gi", "ephemeral-storage": "4Gi"},
}
"""The image under test, as delivery/vars/agents.groovy writes it."""

PULUMI: dict[str, Any] = {
    "requests": {"cpu": "1", "memory": "4Gi", "ephemeral-storage": "4Gi"},
    "limits": {"memory": "4Gi", "ephemeral-storage": "8Gi"},
}
"""The engine in this repository's own pipeline, with room for several stacks at the same time."""

_UNITS = {"Mi": 1, "Gi": 1024, "Ti": 1024 * 1024}
_CHART_CPU_LIMIT = 2000

PodContainers = Sequence[Mapping[str, Any]]
"""Requests and limits of each container."""


class Size(Protocol):
    """CPU, memory and scratch disk in the notation of Kubernetes."""

    @property
    def cpu(self) -> str:
        """Cores, or thousandths of a core with the suffix m."""
        ...

    @property
    def memory(self) -> str:
        """An amount with its unit."""
        ...

    @property
    def scratch(self) -> str:
        """An amount with its unit."""
        ...


def controller(cpu: str, memory: str) -> dict[str, Any]:
    """The controller: its CPU limit is twice the request, and at least the chart's default limit.

    The chart merges its default limit into values without a limit, and Kubernetes refuses a request above the limit.
    """
    limit = max(_CHART_CPU_LIMIT, 2 * millis(cpu))
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": f"{limit}m", "memory": memory}}


def tool(memory: str) -> dict[str, Any]:
    """Requests and limits of a container that waits for commands, or of a data store."""
    return {
        "requests": {"cpu": "100m", "memory": memory, "ephemeral-storage": "1Gi"},
        "limits": {"memory": memory, "ephemeral-storage": "2Gi"},
    }


def buildkit(build: Size) -> dict[str, Any]:
    """The container that builds an image."""
    return {
        "requests": {"cpu": build.cpu, "memory": build.memory, "ephemeral-storage": build.scratch},
        "limits": {"memory": build.memory, "ephemeral-storage": build.scratch},
    }


def build_pod(build: Size) -> PodContainers:
    """An image build."""
    return [_agent(), buildkit(build), *(tool(memory) for memory in TOOLS.values())]


def test_pod(stores: Iterable[StoreName]) -> PodContainers:
    """A test with data stores."""
    return [_agent(), APP, *(tool(STORES[store]) for store in stores)]


def target_pod(cloud: str) -> PodContainers:
    """A pod of a restricted cloud: this repository's own pipeline, or a deploy."""
    if names.is_platform_cloud(cloud):
        return [_agent(), PULUMI]
    return [_agent(), *(tool(TOOLS[name]) for name in target_tools(cloud))]


def target_tools(cloud: str) -> tuple[ImageRole, ...]:
    """Containers of a restricted cloud's pod; not for the clouds of this repository's own pipeline."""
    return PROMOTE_TOOLS if cloud == names.PROMOTE_CLOUD else DEPLOY_TOOLS


def _agent() -> dict[str, Any]:
    """The agent's container with the keys of Kubernetes."""
    renamed = {"ephemeralStorage": "ephemeral-storage"}
    return {kind: {renamed.get(key, key): value for key, value in sizes.items()} for kind, sizes in AGENT.items()}


def millis(cpu: str) -> int:
    """Thousandths of a core."""
    return int(cpu[:-1]) if cpu.endswith("m") else round(float(cpu) * 1000)


def mebibytes(amount: str) -> int:
    """An amount of memory or disk in Mi."""
    return int(amount[:-2]) * _UNITS[amount[-2:]]
