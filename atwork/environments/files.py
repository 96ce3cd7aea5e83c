"""The files of an environment: its stack file, and its entry in the deploys of its upstream's stack file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from atwork.errors import ConfigError
from infra import CONFIG_KEY
from infra.layout import group_files, stack_file

DEPLOYER = "platform-deployer"
"""Account in each environment that Jenkins deploys as."""

_DELIVERY_SYSTEMS = ("jenkins", "external_ci")


def deployer(project_id: str) -> str:
    """The e-mail address of the account that Jenkins deploys as in a project."""
    return f"{DEPLOYER}@{project_id}.iam.gserviceaccount.com"


def text_of(name: str, settings: dict[str, Any], like: str) -> str:
    """A stack file's text."""
    document = {"config": {"pulumi:disable-default-providers": ["*"], CONFIG_KEY: settings}}
    body = yaml.safe_dump(document, sort_keys=False, width=110, allow_unicode=True)
    expires = settings["environment"].get("expires_at")
    until = f", until {expires}; everything in it goes with it" if expires else ""
    head = (
        f"# yaml-language-server: $schema=schema.json\n# {name}: made like {like} by `atwork environment new`{until}.\n"
    )
    return head + body


def with_deploy(text: str, name: str, entry: str, file: str, delivery_key: str) -> str:
    """The upstream's stack file with an entry (YAML) in the deploys of its delivery system; the rest is unchanged."""
    section = _deploys(text)
    if section is None:
        raise ConfigError(f"{file}: {CONFIG_KEY}.{delivery_key}.deploys is missing; add it, with an environment in it")
    line = f"{name}: {entry}"
    if section.inline:
        start = section.value.start_mark.index + 1
        return f"{text[:start]}{line}{', ' if section.entries else ''}{text[start:]}"
    if not section.entries:
        start, end = section.colon + 1, section.value.end_mark.index
        text = text[:start] + text[end:] + ("" if text.endswith("\n") else "\n")
    lines = text.splitlines(keepends=True)
    lines.insert(section.key.start_mark.line + 1, f"{' ' * section.indent}{line}\n")
    return "".join(lines)


def without_deploy(text: str, name: str) -> str:
    """The upstream's stack file without an environment's part of the deploys, on one line or on several."""
    section = _deploys(text)
    keys = [] if section is None else [key.value for key, _ in section.entries]
    if section is None or name not in keys:
        return text
    at = keys.index(name)
    if section.inline:
        before, after = section.entries[:at], section.entries[at + 1 :]
        start = section.entries[at][0].start_mark.index if after or not before else before[-1][1].end_mark.index
        end = after[0][0].start_mark.index if after else section.entries[at][1].end_mark.index
        return text[:start] + text[end:]
    lines = text.splitlines(keepends=True)
    key, value = section.entries[at]
    end = max(_end(key), _end(value))
    while end < len(lines) and re.match(rf" {{{section.indent + 1},}}#", lines[end]):
        end += 1  # a comment that is indented as the environment's own keys
    del lines[key.start_mark.line : end]
    text = "".join(lines)
    return text if len(keys) > 1 else f"{text[: section.colon + 1]} {{}}{text[section.colon + 1 :]}"


@dataclass(frozen=True)
class _Deploys:
    """The key `deploys` of a stack file, with the positions of its parts."""

    key: yaml.Node
    value: yaml.Node
    colon: int
    """Index of the colon after the key."""
    inline: bool
    """Whether its entries are in braces; empty braces are replaced by lines unless they are in braces themselves."""

    @property
    def entries(self) -> list[tuple[yaml.Node, yaml.Node]]:
        """Each environment's key and value."""
        return self.value.value if isinstance(self.value, yaml.MappingNode) else []

    @property
    def indent(self) -> int:
        """Column of the environments' keys, or of the first one."""
        return self.entries[0][0].start_mark.column if self.entries else self.key.start_mark.column + 2


def _deploys(text: str) -> _Deploys | None:
    """The key `deploys` of the delivery system in `text`."""
    root = yaml.compose(text, yaml.SafeLoader)
    for path in (("config", CONFIG_KEY, system, "deploys") for system in _DELIVERY_SYSTEMS):
        parent: Any = None
        key: Any = None
        value: Any = root
        for name in path:
            pairs = value.value if isinstance(value, yaml.MappingNode) else []
            parent, (key, value) = value, next((pair for pair in pairs if pair[0].value == name), (None, None))
        if key is not None:
            inline = isinstance(value, yaml.MappingNode) and value.flow_style and (value.value or parent.flow_style)
            return _Deploys(key, value, text.index(":", key.end_mark.index), bool(inline))
    return None


def _end(node: yaml.Node) -> int:
    """The line after a node; the end mark of a map or a list is where the next key is."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        key, value = node.value[-1]
        return max(_end(key), _end(value))  # the marks of an alias are those of its anchor
    if isinstance(node, yaml.SequenceNode) and not node.flow_style:
        return _end(node.value[-1])
    return node.end_mark.line + (node.end_mark.column > 0)


def removal(stacks: Path, name: str, upstream: str) -> dict[Path, str | None]:
    """The files after the removal of an environment with its groups; None for a file to delete."""
    file = stack_file(stacks, upstream)
    groups = (path for stack, path in group_files(stacks).items() if stack.environment == name)
    texts: dict[Path, str | None] = dict.fromkeys((stack_file(stacks, name), *groups))
    if upstream and file.exists():
        texts[file] = without_deploy(file.read_text(), name)
    return texts


def with_end(text: str, expires: str) -> str:
    """The stack file of an ephemeral environment with another expiry date, in its key and in the comment."""
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    changed, count = re.subn(rf"^( +expires_at: *['\"]){stamp}", rf"\g<1>{expires}", text, flags=re.MULTILINE)
    if count != 1:
        raise ConfigError('there is no expires_at such as "2027-01-31T18:00:00Z" in the file; write it by hand')
    return re.sub(rf"^(#.*, until ){stamp}", rf"\g<1>{expires}", changed, count=1, flags=re.MULTILINE)
