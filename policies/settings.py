"""What the stack file says about policies, as the engine hands it to the pack: plain data, no settings model."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from infra import CONFIG_KEY
from policies.rule import Environment


@dataclass(frozen=True)
class Exemption:
    """One rule that one resource need not keep, until a day."""

    key: str
    policy: str
    resource: str
    expires: date

    def covers(self, policy: str, resource: str, today: date) -> bool:
        """Whether it speaks of that rule and resource, and still holds."""
        return policy == self.policy and fnmatch.fnmatchcase(resource, self.resource) and today <= self.expires


@dataclass(frozen=True)
class PackSettings:
    """Whether violations stop an update, and the exemptions."""

    environment: Environment = field(default_factory=Environment)
    exemptions: tuple[Exemption, ...] = ()

    def exempting(self, policy: str, resource: str) -> Exemption | None:
        """The exemption that accepts a violation, where there is one."""
        today = datetime.now(UTC).date()
        return next((one for one in self.exemptions if one.covers(policy, resource, today)), None)


def read(config: Mapping[str, str]) -> PackSettings:
    """From the stack's configuration; a stack that is not ours is held to everything."""
    stack: dict[str, Any] = json.loads(config.get(CONFIG_KEY) or "{}")
    policies: dict[str, Any] = stack.get("policies") or {}
    exemptions = tuple(
        Exemption(key, one["policy"], one["resource"], date.fromisoformat(one["expires"]))
        for key, one in sorted((policies.get("exemptions") or {}).items())
    )
    kind = (stack.get("environment") or {}).get("kind", "long-lived")
    return PackSettings(Environment(kind, policies.get("mandatory", True)), exemptions)
