"""The files of an environment: its stack file, and its entry in the deploys of its upstream's stack file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from atwork.errors import ConfigError
from atwork.yaml_edits import YamlText
from infra import CONFIG_KEY
from infra.deployers import DEPLOYER, address
from infra.layout import STACKS_FOLDER, group_files, stack_file
from infra.yaml_dump import dump_yaml
from infra.yaml_text import read_text

_UNTIL = re.compile(r"^(#.*, until )\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.MULTILINE)
"""The expiry date in the comment that `text_of` writes."""

_DELIVERY_SYSTEMS = ("jenkins", "external_ci")
_UPDATES = ("config", CONFIG_KEY, "jenkins", "platform", "changes")
"""Accounts as which Jenkins updates environments."""


def deployer(project_id: str) -> str:
    """The e-mail address of the account that Jenkins deploys as in a project."""
    return address(DEPLOYER, project_id)


def text_of(name: str, settings: dict[str, Any], like: str) -> str:
    """A stack file's text."""
    document = {"config": {"pulumi:disable-default-providers": ["*"], CONFIG_KEY: settings}}
    body = dump_yaml(document)
    expires = settings["environment"].get("expires_at")
    until = f", until {expires}; everything in it goes with it" if expires else ""
    head = (
        f"# yaml-language-server: $schema=schema.json\n# {name}: made like {like} by `atwork environment new`{until}.\n"
    )
    return head + body


def with_deploy(text: str, name: str, entry: str, file: str, delivery_key: str) -> str:
    """The upstream's stack file with an entry (YAML) in the deploys of its delivery system; the rest is unchanged."""
    document = YamlText(text, file)
    deploys = _deploys(document)
    if deploys is None:
        raise ConfigError(f"{file}: {CONFIG_KEY}.{delivery_key}.deploys is missing; add it, with an environment in it")
    return document.with_entry(deploys, name, entry)


def without_deploy(text: str, name: str, file: str) -> str:
    """The upstream's stack file without an environment's parts of deploys and updates, on one line or on several."""
    for section in (_deploys(YamlText(text, file)), _UPDATES):
        document = YamlText(text, file)
        if section is not None and document.has((*section, name)):
            text = document.without_entry(section, name)
    return text


def _deploys(document: YamlText) -> Sequence[str] | None:
    """The keys of the deploys of the delivery system."""
    paths = (("config", CONFIG_KEY, system, "deploys") for system in _DELIVERY_SYSTEMS)
    return next((path for path in paths if document.has(path)), None)


def removal(stacks: Path, name: str, upstream: str) -> dict[Path, str | None]:
    """The files after the removal of an environment with its groups; None for a file to delete."""
    file = stack_file(stacks, upstream)
    groups = (path for stack, path in group_files(stacks).items() if stack.environment == name)
    texts: dict[Path, str | None] = dict.fromkeys((stack_file(stacks, name), *groups))
    if upstream and file.exists():
        shown = f"{STACKS_FOLDER}/{file.name}"
        texts[file] = without_deploy(read_text(file, shown), name, shown)
    return texts


def with_end(text: str, expires: str, file: str) -> str:
    """The stack file of an ephemeral environment with another expiry date, in its key and in the comment."""
    changed = YamlText(text, file).with_value(("config", CONFIG_KEY, "environment"), "expires_at", f'"{expires}"')
    return _UNTIL.sub(rf"\g<1>{expires}", changed, count=1)
