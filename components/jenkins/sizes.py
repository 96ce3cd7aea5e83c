"""How large the pods of builds are, for the pods themselves and for the quota that must hold them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from components.jenkins.words import ImageRole

TOOLS: Mapping[ImageRole, str] = {"crane": "256Mi", "helm": "256Mi", "gcloud": "512Mi"}
"""Memory of the containers beside BuildKit, by name."""

AGENT: dict[str, Any] = {
    "requests": {"cpu": "200m", "memory": "512Mi", "ephemeralStorage": "1Gi"},
    "limits": {"cpu": "1", "memory": "512Mi", "ephemeralStorage": "2Gi"},
}
"""The agent's container of every pod, in the chart's words."""

_UNITS = {"Mi": 1, "Gi": 1024, "Ti": 1024 * 1024}


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


def tool(memory: str) -> dict[str, Any]:
    """Requests and limits of a container that waits for commands."""
    return {
        "requests": {"cpu": "100m", "memory": memory, "ephemeral-storage": "1Gi"},
        "limits": {"memory": memory, "ephemeral-storage": "2Gi"},
    }


def missing(quota: Size, build: Size, count: int) -> Iterator[tuple[str, str, str]]:
    """Each resource of which a quota has less than that many builds need, what they need, and what one needs.

    A quota that is used up refuses pods, and the build waits for one that never comes; Jenkins' own limit queues.
    """
    tools = [tool(memory) for memory in TOOLS.values()]
    cpu = millis(build.cpu) + millis(AGENT["requests"]["cpu"]) + sum(millis(one["requests"]["cpu"]) for one in tools)
    if count * cpu > millis(quota.cpu):
        yield "cpu", f"{-(-count * cpu // 1000)}", f"{cpu}m"
    for resource, key, agents in (("memory", "memory", "memory"), ("scratch", "ephemeral-storage", "ephemeralStorage")):
        # The quota counts limits too, and they are the larger ones.
        one = mebibytes(getattr(build, resource)) + mebibytes(AGENT["limits"][agents])
        one += sum(mebibytes(tool["limits"][key]) for tool in tools)
        if count * one > mebibytes(getattr(quota, resource)):
            yield resource, f"{-(-count * one // 1024)}Gi", f"{one}Mi"


def millis(cpu: str) -> int:
    """Thousandths of a core."""
    return int(cpu[:-1]) if cpu.endswith("m") else round(float(cpu) * 1000)


def mebibytes(amount: str) -> int:
    """An amount of memory or disk in Mi."""
    return int(amount[:-2]) * _UNITS[amount[-2:]]
