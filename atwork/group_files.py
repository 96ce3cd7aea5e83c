"""Stack files of groups of services: which there must be, and what is in them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from atwork.errors import ConfigError, UsageError
from atwork.files import replace_file
from infra import CONFIG_KEY
from infra.config import check_group
from infra.layout import SERVICES_FOLDER, STACKS_FOLDER, group_files, stack_file
from infra.services import ServiceSettings, within
from infra.stack import StackConfig
from infra.stack_name import DEFAULT_GROUP, StackName
from infra.yaml_dump import dump_yaml
from infra.yaml_files import read_yaml

ENGINE_KEYS = ("secretsprovider", "encryptedkey")
"""The engine's own lines: a group's secrets are encrypted with the key of its environment."""

_PROVIDERS = "pulumi:disable-default-providers"


def environments_of(
    group: str, environments: Mapping[str, StackConfig], services: Mapping[str, ServiceSettings]
) -> list[str]:
    """The environments in which a group needs a stack: where its services run, and where their jobs are defined."""
    members = {name: service for name, service in services.items() if service.group == group}
    return [
        name
        for name, config in environments.items()
        if config.environment.kind != "ephemeral"
        and (config.jenkins is not None or within(name, config.environment, members))
    ]


def write_stack_files(
    checkout: Path, group: str, environments: Mapping[str, StackConfig], services: Mapping[str, ServiceSettings]
) -> list[Path]:
    """Write the stack files that a group lacks and return them; `UsageError` for a group without services."""
    if all(service.group != group for service in services.values()):
        known = ", ".join(sorted({service.group for service in services.values()})) or "none"
        raise UsageError(f"{_folder(group)}: there are no services in it; name one of {known}")
    stacks = checkout / STACKS_FOLDER
    written: list[Path] = []
    for environment in environments_of(group, environments, services):
        file = stack_file(stacks, str(StackName(environment, group)))
        if not file.exists():
            replace_file(file, text(environment, group, _document(stack_file(stacks, environment))))
            written.append(file)
    return written


def text(environment: str, group: str, document: Mapping[str, Any]) -> str:
    """The stack file of a group in an environment with this stack file."""
    own = {key: document[key] for key in ENGINE_KEYS if key in document}
    lines = [
        f"# The stack of the services in {_folder(group)} in {environment}. The settings of the environment are in",
        f"# Pulumi.{environment}.yaml, those of a service in its own file.",
        *([dump_yaml(own).rstrip()] if own else []),
        "config:",
        f'  {_PROVIDERS}: ["*"]',
    ]
    return "\n".join(lines) + "\n"


def secrets_provider(file: Path) -> str | None:
    """The key of a stack's secrets, as its file states it; None for the engine's default."""
    provider = _document(file).get("secretsprovider")
    return None if provider is None else str(provider)


def group_mistakes(
    checkout: Path,
    environments: Mapping[str, StackConfig],
    services: Mapping[str, ServiceSettings],
    invalid: Collection[str] = (),
    invalid_groups: Collection[str] = (),
) -> Iterator[str]:
    """What is wrong with the stack files of groups, a line for each mistake.

    Groups in `invalid_groups` have invalid service files, and environments in `invalid` an invalid stack file; their
    files are not checked.
    """
    stacks = checkout / STACKS_FOLDER
    files = {
        stack: path
        for stack, path in group_files(stacks).items()
        if stack.group not in invalid_groups and stack.environment not in invalid
    }
    for stack, path in files.items():
        yield from _file_mistakes(stack, path, environments, services)
    for group in sorted({stack.group or "" for stack in files}):
        for environment in environments_of(group, environments, services):
            if StackName(environment, group) not in files and any(item.group == group for item in services.values()):
                yield (
                    f"{STACKS_FOLDER}/Pulumi.{environment}.{group}.yaml: missing; the group has stacks of its own: run "
                    f"`atwork service group {group}`"
                )


def _file_mistakes(
    stack: StackName, path: Path, environments: Mapping[str, StackConfig], services: Mapping[str, ServiceSettings]
) -> Iterator[str]:
    shown = f"{STACKS_FOLDER}/{path.name}"
    try:
        check_group(stack, environments)
        document = _document(path)
        environment = _document(stack_file(path.parent, stack.environment))
    except ConfigError as error:
        yield from str(error).splitlines()
        return
    if all(service.group != stack.group for service in services.values()):
        yield (
            f"{shown}: there are no services in {_folder(stack.group or '')}; destroy the stack "
            f"(`pulumi destroy -s {stack}`), then remove the file"
        )
    config = document.get("config")
    if not isinstance(config, dict) or config.get(_PROVIDERS) != ["*"]:
        yield f'{shown}: config.{_PROVIDERS}: must be ["*"]; every resource names its provider'
    elif CONFIG_KEY in config:
        yield f"{shown}: config.{CONFIG_KEY}: the settings are in Pulumi.{stack.environment}.yaml; remove it here"
    for key in ENGINE_KEYS:
        if document.get(key) != environment.get(key):
            yield f"{shown}: {key}: is not that of Pulumi.{stack.environment}.yaml; copy the line from there"
    if "encryptionsalt" in document and "encryptionsalt" not in environment:
        yield f"{shown}: encryptionsalt belongs to a passphrase; remove the line"


def _document(path: Path) -> dict[str, Any]:
    return read_yaml(path, f"{STACKS_FOLDER}/{path.name}")


def _folder(group: str) -> str:
    return SERVICES_FOLDER if group == DEFAULT_GROUP else f"{SERVICES_FOLDER}/{group}"
