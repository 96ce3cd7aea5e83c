"""The project folder that the engine uses in the sandbox.

The engine writes into stack files (`encryptionsalt`), and the stack files of a checkout name a key of Google Cloud
(`secretsprovider`). Therefore the engine gets copies, with a passphrase of the sandbox.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from atwork.engine.backend import POLICIES
from atwork.errors import ConfigError
from atwork.files import replace_file
from atwork.sandbox.home import Home
from atwork.sandbox.state_files import state_file
from infra import company
from infra.layout import PLATFORM_FILE, SERVICES_FOLDER, all_stack_files
from infra.yaml_dump import dump_yaml
from infra.yaml_files import read_yaml
from infra.yaml_text import read_text

_SALT = "encryptionsalt"


def write(home: Home) -> None:
    """Write the folder from the files of the checkout; each stack keeps its salt."""
    with home.preparing():
        _write(home)


def _write(home: Home) -> None:
    target = home.workspace
    (target / "stacks").mkdir(parents=True, exist_ok=True)
    project = _read(home.checkout / "Pulumi.yaml")
    project["runtime"]["options"]["virtualenv"] = sys.prefix
    _replace(target / "Pulumi.yaml", project)
    for folder in (str(project["main"]).strip("/"), SERVICES_FOLDER):
        link = target / folder
        if not link.is_symlink():
            link.symlink_to(home.checkout / folder, target_is_directory=True)
    _write_policies(home.checkout / POLICIES, target / POLICIES)
    _copy_company(home.checkout / "stacks" / PLATFORM_FILE, target / "stacks" / PLATFORM_FILE)
    files = all_stack_files(home.project.stacks)
    for stack, path in files.items():
        copy = target / "stacks" / path.name
        document = {"config": _read(path).get("config") or {}}
        salt = _salt(copy) or _state_salt(home, stack)
        _replace(copy, {_SALT: salt, **document} if salt else document)
    for stack, copy in all_stack_files(target / "stacks").items():
        if stack not in files:
            copy.unlink()


def _copy_company(file: Path, copy: Path) -> None:
    """Copy the platform file; without it in the checkout, the folder has none."""
    if file.exists():
        replace_file(copy, read_text(file, company.FILE))
    else:
        copy.unlink(missing_ok=True)


def _salt(copy: Path) -> str | None:
    """The salt in a copied stack file; None if there is none, or if a kill of the engine truncated the file."""
    try:
        salt = _read(copy).get(_SALT)
    except ConfigError:
        return None
    return salt if isinstance(salt, str) else None


def _state_salt(home: Home, stack: str) -> str | None:
    """The salt in the state of a stack, with which its secrets are encrypted.

    The engine writes the stack file in place: after a kill it can be empty, and with a new salt the engine could not
    decrypt the state. A damaged state is not an error here: the next reader reports it.
    """
    try:
        state = json.loads(state_file(home, stack).read_text())
        return str(state["checkpoint"]["latest"]["secrets_providers"]["state"]["salt"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_policies(pack: Path, target: Path) -> None:
    """Write the policy pack with the interpreter of this process, so that it gets no virtual environment of its own."""
    if not (pack / "PulumiPolicy.yaml").exists():
        return
    target.mkdir(exist_ok=True)
    description = _read(pack / "PulumiPolicy.yaml")
    description["runtime"]["options"]["virtualenv"] = sys.prefix
    _replace(target / "PulumiPolicy.yaml", description)
    link = target / "__main__.py"
    if not link.is_symlink():
        link.symlink_to(pack / "__main__.py")


def _read(path: Path) -> dict[str, Any]:
    return read_yaml(path, f"{path.parent.name}/{path.name}" if path.parent.name == "stacks" else path.name)


def _replace(path: Path, document: dict[str, Any]) -> None:
    text = dump_yaml(document)
    if not path.exists() or path.read_text() != text:
        replace_file(path, text)
