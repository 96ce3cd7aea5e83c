"""Violations of policies: the same sentence about many resources is shown once, with their names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from atwork.report.model import Policy


@dataclass(frozen=True)
class PolicyViolations:
    """A policy, what it says, and all resources about which it says that."""

    name: str
    message: str
    mandatory: bool
    resources: tuple[str, ...]

    @property
    def word(self) -> str:
        """What the violation is for the update."""
        return "broken" if self.mandatory else "advice"


def grouped(policies: Iterable[Policy]) -> list[PolicyViolations]:
    """The violations by policy and message, the mandatory ones first."""
    resources: dict[tuple[bool, str, str], dict[str, None]] = {}
    for policy in policies:
        key = (not policy.mandatory, policy.name, policy.message)
        resources.setdefault(key, {})[policy.resource] = None
    ordered = sorted(resources.items(), key=lambda item: item[0][0])
    return [PolicyViolations(name, message, not advisory, tuple(names)) for (advisory, name, message), names in ordered]
