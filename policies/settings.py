"""What the stack file says about policies, as the engine hands it to the pack: plain data, no settings model."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, cast

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
    unreadable: tuple[str, ...] = ()
    """Keys of the exemptions that cannot be read; they exempt nothing."""

    def exempting(self, policy: str, resource: str) -> Exemption | None:
        """The exemption that accepts a violation, where there is one."""
        today = datetime.now(UTC).date()
        return next((one for one in self.exemptions if one.covers(policy, resource, today)), None)


def read(config: Mapping[str, str]) -> PackSettings:
    """From the stack's configuration; what cannot be read loosens nothing, and the program refuses it."""
    try:
        stack = _map(json.loads(config.get(CONFIG_KEY) or "{}"))
    except json.JSONDecodeError:
        stack = {}
    policies, environment = _map(stack.get("policies")), _map(stack.get("environment"))
    found = {key: _exemption(key, _map(one)) for key, one in sorted(_map(policies.get("exemptions")).items())}
    return PackSettings(
        Environment(str(environment.get("kind", "long-lived")), policies.get("mandatory") is not False),
        tuple(exemption for exemption in found.values() if exemption is not None),
        tuple(key for key, exemption in found.items() if exemption is None),
    )


def _exemption(key: str, settings: Mapping[str, Any]) -> Exemption | None:
    try:
        expires = date.fromisoformat(str(settings["expires"]))
        return Exemption(key, str(settings["policy"]), str(settings["resource"]), expires)
    except (KeyError, ValueError):
        return None


def _map(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
