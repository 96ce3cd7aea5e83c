"""The files of an environment: its own, and its line among the deploys of the stack that it reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from atwork.errors import ConfigError
from infra import CONFIG_KEY
from infra.layout import stack_file

DEPLOYER = "platform-deployer"
"""Account in each environment that Jenkins deploys as."""


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


def with_deploy(text: str, name: str, account: str, file: str, approvers: Sequence[str] = ()) -> str:
    """The upstream's stack file with a line for the new environment; all else stays as it is."""
    lines = text.splitlines(keepends=True)
    at, inside = _deploys(lines)
    if at is None:
        raise ConfigError(f"{file}: {CONFIG_KEY}.jenkins.deploys is missing; add it, with an environment in it")
    # As deep as what is there; where there is none, one step deeper than the key.
    depth = _indent(lines[inside.start]) if inside else _indent(lines[at]) + 2
    lines[at] = re.sub(r"deploys: *\{ *\}", "deploys:", lines[at])
    approval = f", approvers: [{', '.join(approvers)}]" if approvers else ""
    lines.insert(at + 1, f"{' ' * depth}{name}: {{account: {account}{approval}}}\n")
    return "".join(lines)


def without_deploy(text: str, name: str) -> str:
    """The upstream's stack file without an environment's part of the deploys, on one line or on several."""
    lines = text.splitlines(keepends=True)
    at, inside = _deploys(lines)
    shallowest = min((_indent(lines[number]) for number in inside), default=0)
    mine = [number for number in inside if re.match(rf" {{{shallowest}}}{re.escape(name)}:", lines[number])]
    if at is None or not mine:
        return text
    depth, last = _indent(lines[mine[0]]), mine[0] + 1
    while last in inside and _indent(lines[last]) > depth:
        last += 1
    del lines[mine[0] : last]
    if not _deploys(lines)[1]:
        lines[at] = lines[at].replace("deploys:", "deploys: {}", 1)
    return "".join(lines)


def _deploys(lines: list[str]) -> tuple[int | None, range]:
    """The line of the key `deploys`, and the lines below that are its own."""
    at = next((number for number, line in enumerate(lines) if re.match(r" +deploys:", line)), None)
    if at is None:
        return None, range(0)
    last = at + 1
    while last < len(lines) and _indent(lines[last]) > _indent(lines[at]):
        last += 1
    return at, range(at + 1, last)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def removal(stacks: Path, name: str, upstream: str) -> dict[Path, str | None]:
    """The files of an environment as they are without it; None for the one that goes."""
    file = stack_file(stacks, upstream)
    texts: dict[Path, str | None] = {stack_file(stacks, name): None}
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
