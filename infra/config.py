"""The settings of all stacks: each file is read and validated once, before any resource is declared.

Each environment is configured by one file `stacks/Pulumi.NAME.yaml` with the key `atwork:stack`. Pulumi owns the other
lines of that file (`secretsprovider`, `encryptedkey`, `encryptionsalt`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from infra import CONFIG_KEY, callers
from infra.domain_rules import hosts_elsewhere
from infra.environment_rules import check_together
from infra.errors import ConfigError
from infra.layout import STACKS_FOLDER, stack_files
from infra.service_composition import complete
from infra.services import ServiceSettings, not_there
from infra.stack import StackConfig
from infra.stack_name import ENVIRONMENT_WORDS, StackName, is_environment_name
from infra.unread_files import unread_stack_files
from infra.validation import settings_from_json
from infra.yaml_files import read_yaml

STACKS = Path(__file__).resolve().parent.parent / "stacks"


def parse(stack: str, text: str) -> StackConfig:
    """One stack's settings from the JSON of its key; `ConfigError` names every wrong key."""
    return settings_from_json(StackConfig, text, f"stacks/Pulumi.{stack}.yaml", (CONFIG_KEY,))


def read_file(path: Path) -> str:
    """The JSON of a stack file's key."""
    return _settings_of(read_yaml(path, f"{path.parent.name}/{path.name}"), path)


def _settings_of(document: Mapping[str, Any], path: Path) -> str:
    config = document.get("config")
    if not isinstance(config, dict) or CONFIG_KEY not in config:
        raise ConfigError(f"{path.parent.name}/{path.name}: config.{CONFIG_KEY} is missing; add it")
    return json.dumps(config[CONFIG_KEY])


@dataclass(frozen=True)
class StackFiles:
    """The stack files of environments in a folder, each read by itself."""

    environments: Mapping[str, StackConfig]
    """The valid ones by name."""
    mistakes: Sequence[str]
    """Lines about the others, and about files that nothing reads."""
    invalid: frozenset[str]
    """Names of the environments of those files."""
    documents: Mapping[str, Mapping[str, Any]]
    """The files that are YAML by the name of the environment, with the lines of the engine."""


def read_files(directory: Path = STACKS, texts: Mapping[str, str] | None = None) -> StackFiles:
    """All stack files of environments.

    `texts` has the JSON of stacks whose settings the engine provides: they replace what the stack's file states.
    """
    environments: dict[str, StackConfig] = {}
    documents: dict[str, Mapping[str, Any]] = {}
    provided, files = texts or {}, stack_files(directory)
    unread = [*unread_stack_files(directory)]
    mistakes, invalid = [str(file) for file in unread], {file.name for file in unread}
    for name in {**files, **provided}:
        try:
            _check_name(name)
            stated = ""
            if name in files:
                documents[name] = read_yaml(files[name], f"{STACKS_FOLDER}/{files[name].name}")
                stated = _settings_of(documents[name], files[name])
            environments[name] = parse(name, provided.get(name, stated))
        except ConfigError as error:
            mistakes += str(error).splitlines()
            invalid.add(name)
    return StackFiles(environments, mistakes, frozenset(invalid), documents)


def read_all(directory: Path = STACKS, texts: Mapping[str, str] | None = None) -> dict[str, StackConfig]:
    """All environments by name, each valid by itself; `ConfigError` has a line for every mistake in any file."""
    files = read_files(directory, texts)
    if files.mistakes:
        raise ConfigError("\n".join(files.mistakes))
    return dict(files.environments)


def _check_name(name: str) -> None:
    if not is_environment_name(name):
        raise ConfigError(
            f"stacks/Pulumi.{name}.yaml: the environment is called as its file, {ENVIRONMENT_WORDS}; rename the file"
        )


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


def check_services(
    environments: Mapping[str, StackConfig],
    services: Mapping[str, ServiceSettings],
    invalid: Collection[str] = (),
    invalid_services: Collection[str] = (),
) -> None:
    """Raise `ConfigError` for services in missing environments and for missing services in environments.

    Also for hosts that are another environment's domain.

    Names of environments and services whose files are invalid are not missing.
    """
    mistakes: list[str] = []
    try:
        _check_environments(environments, services, invalid)
    except ConfigError as error:
        mistakes.append(str(error))
    for name, config in environments.items():
        mistakes += not_there(name, config.environment, services, invalid_services)
    if mistakes:
        raise ConfigError("\n".join(mistakes))


def _check_environments(
    environments: Mapping[str, StackConfig], services: Mapping[str, ServiceSettings], invalid: Collection[str] = ()
) -> None:
    mistakes = [
        f"{service.file}: environments.{stack}: there is no stacks/Pulumi.{stack}.yaml; name one of "
        f"{', '.join(environments)}"
        for service in services.values()
        for stack in service.environments
        if stack not in environments and stack not in invalid
    ]
    mistakes += hosts_elsewhere(environments, services)
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
