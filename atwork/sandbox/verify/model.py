"""Pods, findings and reports as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

CheckName = Literal["chart", "image", "mount", "identity", "placement", "admission", "network"]
"""Subject of a finding."""

Role = Literal["controller", "build", "test", "deploy", "platform", "service", "smoke-test", "store", "rights", "other"]
"""What a pod does; the table of network flows (flows.py) has rows for every role but `other`."""

Reason = Literal["ErrImagePull", "FailedMount", "FailedScheduling", "FailedCreate", "Unhealthy"]
"""Reason of the event that Kubernetes would write."""


@dataclass(frozen=True)
class PodFinding:
    """A reason why a pod would not start or not work."""

    environment: str
    pod: str
    """NAMESPACE/NAME."""
    check: CheckName
    what: str
    """The problem."""
    why: str
    """The effect on GKE."""
    fix: str
    reason: Reason
    prerequisite: bool = False
    """Whether it is about something that people create without Pulumi (prerequisites.py), which is not an error."""

    def __str__(self) -> str:
        return f"{self.environment}: {self.pod}: {self.what}; {self.fix}"


@dataclass(frozen=True)
class Pod:
    """A pod that the platform runs."""

    environment: str
    namespace: str
    name: str
    role: Role
    spec: Mapping[str, Any]
    """PodSpec with the names of the Kubernetes API."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    group: str = ""
    """Pods of a group in a namespace are alternatives that share `most`; the largest counts."""
    most: int = 1
    """Maximum of pods of the group that run at the same time."""
    turn: str = ""
    """Pods of a namespace with different turns never run at the same time: services in a shared preview namespace."""
    traits: frozenset[str] = frozenset()
    """Conditions of the table of network flows that hold for it."""

    @property
    def shown(self) -> str:
        """NAMESPACE/NAME."""
        return f"{self.namespace}/{self.name}"

    @property
    def account(self) -> str:
        """Its Kubernetes service account."""
        return str(self.spec.get("serviceAccountName") or "default")

    def containers(self) -> list[Mapping[str, Any]]:
        """All containers, including init containers."""
        return [*(self.spec.get("initContainers") or ()), *(self.spec.get("containers") or ())]

    def finding(self, check: CheckName, what: str, why: str, fix: str, reason: Reason) -> PodFinding:
        """A finding about this pod."""
        return PodFinding(self.environment, self.shown, check, what, why, fix, reason)


@dataclass(frozen=True)
class VerifyReport:
    """The result for some environments."""

    environments: Sequence[str]
    pods: Sequence[Pod]
    findings: Sequence[PodFinding]
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
    """Source of the pods of a chart: rendered by Helm or described from the values."""

    def errors(self) -> list[PodFinding]:
        """Findings that are not prerequisites."""
        return [finding for finding in self.findings if not finding.prerequisite]

    def prerequisites(self) -> list[PodFinding]:
        """What people still have to create."""
        return [finding for finding in self.findings if finding.prerequisite]

    def plain(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "environments": {
                name: {"pods": [pod.shown for pod in self.pods if pod.environment == name]}
                for name in self.environments
            },
            "findings": [asdict(finding) for finding in self.errors()],
            "prerequisites": [asdict(finding) for finding in self.prerequisites()],
            "sources": dict(self.sources),
        }
