"""The settings of all stacks: each file is read and validated once, before any resource is declared.

Each environment is configured by one file `stacks/Pulumi.NAME.yaml` with the key `atwork:stack`. Pulumi owns the other
lines of that file (`secretsprovider`, `encryptedkey`, `encryptionsalt`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from infra import CONFIG_KEY, callers
from infra.environment_rules import check_together
from infra.errors import ConfigError
from infra.layout import stack_files
from infra.service_composition import complete
from infra.services import ServiceSettings, not_there
from infra.stack import StackConfig
from infra.stack_name import StackName
from infra.validation import settings_from_json
from infra.yaml_files import read_yaml

STACKS = Path(__file__).resolve().parent.parent / "stacks"


def parse(stack: str, text: str) -> StackConfig:
    """One stack's settings from the JSON of its key; `ConfigError` names the file and every wrong key."""
    return settings_from_json(StackConfig, text, f"stacks/Pulumi.{stack}.yaml", (CONFIG_KEY,))


def read_file(path: Path) -> str:
    """The JSON of a stack file's key."""
    document = read_yaml(path, f"{path.parent.name}/{path.name}")
    config = document.get("config")
    if not isinstance(config, dict) or CONFIG_KEY not in config:
        raise ConfigError(f"{path.parent.name}/{path.name}: config.{CONFIG_KEY} is missing; add it")
    return json.dumps(config[CONFIG_KEY])


def read_all(directory: Path = STACKS, texts: Mapping[str, str] | None = None) -> dict[str, StackConfig]:
    """All environments by name, each valid by itself.

    `texts` has the JSON of stacks whose settings the engine provides: they replace what the stack's file states.
    """
    environments: dict[str, StackConfig] = {}
    mistakes: list[str] = []
    provided, files = texts or {}, stack_files(directory)
    for name in {**files, **provided}:
        try:
            stated = read_file(files[name]) if name in files else ""
            environments[name] = parse(name, provided.get(name, stated))
        except ConfigError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return environments


def with_services(
    stack: str,
    environments: Mapping[str, StackConfig],
    services: Mapping[str, ServiceSettings],
    catalog: Collection[str] = (),
) -> StackConfig:
    """The settings of one stack with its services, checked alone and together with all environments.

    `catalog` has the names of all services, those of other stacks among them.
    """
    check_together(environments)
    _check_environments(environments, services)
    if mistakes := [*not_there(stack, environments[stack].environment, services)]:
        raise ConfigError("\n".join(mistakes))
    config = complete(stack, environments[stack], services)
    if mistakes := [*callers.mistakes(stack, config, services, {*services, *catalog})]:
        raise ConfigError("\n".join(mistakes))
    check_exemptions(stack, config, datetime.now(UTC).date())
    return config


def check_group(stack: StackName, environments: Mapping[str, StackConfig]) -> None:
    """Raise `ConfigError` where a group of services can have no stack of its own."""
    environment = environments.get(stack.environment)
    if environment is None:
        raise ConfigError(
            f"stacks/Pulumi.{stack}.yaml: there is no stacks/Pulumi.{stack.environment}.yaml; name one of "
            f"{', '.join(environments)}"
        )
    if environment.environment.kind == "ephemeral":
        raise ConfigError(
            f"stacks/Pulumi.{stack}.yaml: {stack.environment} is ephemeral, and its services are in its own stack; "
            "remove the file"
        )


def check_services(environments: Mapping[str, StackConfig], services: Mapping[str, ServiceSettings]) -> None:
    """Raise `ConfigError` for services in missing environments and for missing services in environments."""
    mistakes: list[str] = []
    try:
        _check_environments(environments, services)
    except ConfigError as error:
        mistakes.append(str(error))
    for name, config in environments.items():
        mistakes += not_there(name, config.environment, services)
    if mistakes:
        raise ConfigError("\n".join(mistakes))


def _check_environments(environments: Mapping[str, StackConfig], services: Mapping[str, ServiceSettings]) -> None:
    mistakes = [
        f"{service.file}: environments.{stack}: there is no stacks/Pulumi.{stack}.yaml; name one of "
        f"{', '.join(environments)}"
        for service in services.values()
        for stack in service.environments
        if stack not in environments
    ]
    if mistakes:
        raise ConfigError("\n".join(mistakes))


def check_exemptions(stack: str, config: StackConfig, today: date) -> None:
    """Raise `ConfigError` for exemptions that have expired or name no rule."""
    mistakes = [
        f"stacks/Pulumi.{stack}.yaml: {CONFIG_KEY}.policies.{key}: {message}"
        for key, message in config.policies.mistakes(today)
    ]
    if mistakes:
        raise ConfigError("\n".join(mistakes))
