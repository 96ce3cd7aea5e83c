"""How large the pods of Jenkins are, for the pods themselves and for the quotas that must hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from components.delivery import StoreName
from components.jenkins.value_types import ImageRole

TOOLS: Mapping[ImageRole, str] = {"crane": "256Mi", "helm": "256Mi", "gcloud": "512Mi"}
"""Memory of the containers beside BuildKit, by name."""

DEPLOY_TOOLS: tuple[ImageRole, ...] = ("helm", "gcloud")
"""Those of a deploy."""

STORES: Mapping[StoreName, str] = {"postgres": "512Mi", "redis": "256Mi", "mysql": "1Gi"}
"""Memory of the data stores beside a test."""

AGENT: dict[str, Any] = {
    "requests": {"cpu": "200m", "memory": "512Mi", "ephemeralStorage": "1Gi"},
    "limits": {"cpu": "1", "memory": "512Mi", "ephemeralStorage": "2Gi"},
}
"""The agent's container of every pod, in the chart's words."""

APP: dict[str, Any] = {
    "requests": {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "1Gi"},
    "limits": {"memory": "1Gi", "ephemeral-storage": "4Gi"},
}
"""The image under test, as delivery/vars/agents.groovy writes it."""

PULUMI: dict[str, Any] = {
    "requests": {"cpu": "1", "memory": "4Gi", "ephemeral-storage": "4Gi"},
    "limits": {"memory": "4Gi", "ephemeral-storage": "8Gi"},
}
"""Where this repository's own pipeline runs the engine: room for a few stacks at once."""

_UNITS = {"Mi": 1, "Gi": 1024, "Ti": 1024 * 1024}
_CHART_CPU_LIMIT = 2000
_SIZES = (("cpu", "requests", "cpu"), ("memory", "limits", "memory"), ("scratch", "limits", "ephemeral-storage"))
"""What a quota is told of first: requests of CPU, and limits of the rest, which are the larger ones."""

Pod = Sequence[Mapping[str, Any]]
"""Requests and limits of each container."""


class Size(Protocol):
    """CPU, memory and scratch disk as Kubernetes writes them."""

    @property
    def cpu(self) -> str:
        """Cores, or thousandths with an m."""
        ...

    @property
    def memory(self) -> str:
        """With its unit."""
        ...

    @property
    def scratch(self) -> str:
        """With its unit."""
        ...


def controller(cpu: str, memory: str) -> dict[str, Any]:
    """The controller: twice the CPU that it asks for, and never less than the chart allows it.

    The chart merges its own limit into values that name none, and a request above it is refused.
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


def build_pod(build: Size) -> Pod:
    """An image build."""
    return [_agent(), buildkit(build), *(tool(memory) for memory in TOOLS.values())]


def test_pod(stores: Iterable[StoreName]) -> Pod:
    """A test beside data stores."""
    return [_agent(), APP, *(tool(STORES[store]) for store in stores)]


def deploy_pod() -> Pod:
    """A deploy, and whatever else reaches another environment."""
    return [_agent(), *(tool(TOOLS[name]) for name in DEPLOY_TOOLS)]


def platform_pod() -> Pod:
    """This repository's own pipeline."""
    return [_agent(), PULUMI]


def missing(quota: Size, pod: Pod, count: int) -> Iterator[tuple[str, str, str]]:
    """Each resource of which a quota has less than that many pods need, what they need, and what one needs.

    A quota that is used up refuses pods, and the build waits for one that never comes; Jenkins' own limit queues.
    """
    for resource, _, _ in _SIZES:
        one, unit = _needs(pod, resource), "m" if resource == "cpu" else "Mi"
        if count * one > _amount(resource, getattr(quota, resource)):
            needed = f"{-(-count * one // 1000)}" if resource == "cpu" else f"{-(-count * one // 1024)}Gi"
            yield resource, needed, f"{one}{unit}"


def fitting(quota: Size, pod: Pod, most: int) -> int:
    """How many such pods a quota holds, `most` at most."""
    counts = [_amount(resource, getattr(quota, resource)) // _needs(pod, resource) for resource, _, _ in _SIZES]
    return min(most, *counts)


def _needs(pod: Pod, resource: str) -> int:
    kind, key = next((kind, key) for name, kind, key in _SIZES if name == resource)
    return sum(_amount(resource, container[kind][key]) for container in pod)


def _amount(resource: str, text: str) -> int:
    return millis(text) if resource == "cpu" else mebibytes(text)


def _agent() -> dict[str, Any]:
    """The agent's container in the words of Kubernetes."""
    renamed = {"ephemeralStorage": "ephemeral-storage"}
    return {kind: {renamed.get(key, key): value for key, value in sizes.items()} for kind, sizes in AGENT.items()}


def millis(cpu: str) -> int:
    """Thousandths of a core."""
    return int(cpu[:-1]) if cpu.endswith("m") else round(float(cpu) * 1000)


def mebibytes(amount: str) -> int:
    """An amount of memory or disk in Mi."""
    return int(amount[:-2]) * _UNITS[amount[-2:]]
