"""The policy settings of a stack file, as the engine passes them to the pack: plain data, no settings model."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import yaml

from components.names import CONFIG_KEY, stack_file_name
from policies.rule import StackContext


@dataclass(frozen=True)
class Exemption:
    """An exception to one rule for some resources, until a day."""

    key: str
    policy: str
    resource: str
    expires: date

    def covers(self, policy: str, resource: str, today: date) -> bool:
        """Whether it is for this rule and resource, and has not expired."""
        return policy == self.policy and fnmatch.fnmatchcase(resource, self.resource) and today <= self.expires


@dataclass(frozen=True)
class PackSettings:
    """The kind of the stack, whether violations stop an update, and the exemptions."""

    context: StackContext = field(default_factory=StackContext)
    exemptions: tuple[Exemption, ...] = ()
    unreadable: tuple[str, ...] = ()
    """Keys of the exemptions that cannot be read; they exempt nothing."""
    shared: bool = False
    """Whether other stacks have the same settings, so that an exemption may be theirs."""

    def exemption(self, policy: str, resource: str) -> Exemption | None:
        """The exemption that covers a rule and a resource, if any."""
        today = datetime.now(UTC).date()
        return next((item for item in self.exemptions if item.covers(policy, resource, today)), None)


def read_stack(stack: str, config: Mapping[str, str], stacks: Path) -> PackSettings:
    """Read the settings of a stack; a group of services has those of its environment, from the environment's file."""
    environment, _, group = stack.partition(".")
    if not group:
        return read(config)
    try:  # the reader of the program, infra/yaml_files.py, is above policies; the program refuses what it refuses
        document = _mapping(yaml.safe_load((stacks / stack_file_name(environment)).read_text()))
    except (OSError, ValueError, yaml.YAMLError):
        return read({})
    settings = _mapping(document.get("config")).get(CONFIG_KEY)
    return replace(read({CONFIG_KEY: json.dumps(settings, default=str)}), shared=True)


def read(config: Mapping[str, str]) -> PackSettings:
    """Read the stack's configuration; values that cannot be read loosen nothing, and the program refuses them."""
    try:
        stack = _mapping(json.loads(config.get(CONFIG_KEY) or "{}"))
    except json.JSONDecodeError:
        stack = {}
    policies, environment = _mapping(stack.get("policies")), _mapping(stack.get("environment"))
    exemptions = {
        key: _exemption(key, _mapping(item)) for key, item in sorted(_mapping(policies.get("exemptions")).items())
    }
    return PackSettings(
        StackContext(str(environment.get("kind", "long-lived")), policies.get("mandatory") is not False),
        tuple(exemption for exemption in exemptions.values() if exemption is not None),
        tuple(key for key, exemption in exemptions.items() if exemption is None),
    )


def _exemption(key: str, settings: Mapping[str, Any]) -> Exemption | None:
    try:
        expires = date.fromisoformat(str(settings["expires"]))
        return Exemption(key, str(settings["policy"]), str(settings["resource"]), expires)
    except (KeyError, ValueError):
        return None


def _mapping(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
