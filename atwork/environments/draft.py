"""A new environment before it is written: what its stack file says, checked beside all others."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from atwork.environments import derive, files
from atwork.sandbox.home import Home
from infra.config import check_services, check_together, parse, read_all, read_file
from infra.mistakes import ConfigError
from infra.services import FOLDER, complete
from infra.services import read_all as services_in
from infra.stack import StackConfig

_NAME = re.compile(r"^[a-z][a-z0-9-]{0,18}[a-z0-9]$")
_DIGITS = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Wanted:
    """What a person said of the environment; the rest is derived."""

    name: str
    kind: str
    like: str
    owner: str
    ttl: str = "72h"
    region: str = ""
    folder: str = ""
    billing: str = ""
    project: str = ""
    number: str = ""


@dataclass(frozen=True)
class Derived:
    """A new environment, checked beside all others; nothing is written yet."""

    settings: dict[str, Any]
    file: Path
    text: str
    upstream_file: Path | None
    upstream_text: str


def derived(home: Home, wanted: Wanted, now: datetime) -> Derived:
    """The files of a new environment; `ConfigError` where they would not be taken."""
    stacks = home.checkout / "stacks"
    file = stacks / f"Pulumi.{wanted.name}.yaml"
    environments = read_all(stacks)
    if not _NAME.match(wanted.name):
        raise ConfigError(f"{wanted.name}: a name has 2 to 20 small letters, digits and hyphens, a letter first")
    if file.exists():
        raise ConfigError(f"stacks/{file.name}: is there already; choose another name")
    like = environments.get(wanted.like)
    if like is None or like.upstream is None:
        able = ", ".join(name for name, one in environments.items() if one.upstream is not None)
        raise ConfigError(f"--like {wanted.like}: name an environment that reads another one: {able}")
    settings: dict[str, Any] = json.loads(read_file(stacks / f"Pulumi.{wanted.like}.yaml") or "{}")
    if wanted.region:
        settings["region"] = wanted.region
        settings["cluster"].pop("zone", None)
    if wanted.kind == "popup":
        settings = derive.popup(settings, expires=now + derive.span(wanted.ttl))
    else:
        settings = derive.long_lived(settings)
    settings["environment"]["owner"] = wanted.owner
    settings["project"] = _project(wanted, like)
    taken = [block for one in environments.values() for block in one.network.ranges().values()]
    settings["network"] = {**settings.get("network", {}), **derive.ranges(wanted.kind, taken)}
    _check(home, wanted.name, settings, environments)
    account = f"platform-deployer@{settings['project']['id']}.iam.gserviceaccount.com"
    upstream = stacks / f"Pulumi.{like.upstream}.yaml"
    text = files.with_deploy(upstream.read_text(), wanted.name, account, f"stacks/{upstream.name}")
    return Derived(settings, file, files.text_of(wanted.name, settings, wanted.like), upstream, text)


def _project(wanted: Wanted, like: StackConfig) -> dict[str, Any]:
    if wanted.project:
        if not wanted.number:
            raise ConfigError("--number: a project that exists is named with its number (`gcloud projects describe`)")
        return {"id": wanted.project, "number": wanted.number}
    if not (wanted.folder and wanted.billing):
        raise ConfigError(
            "say --folder and --billing-account of a new project, or --project and --number of one that is"
        )
    stem = like.project.id.rpartition("-")[0] or like.project.id
    suffix = "".join(secrets.choice(_DIGITS) for _ in range(4))  # an id is never free again
    return {
        "id": f"{stem}-{wanted.name}"[:25].rstrip("-") + f"-{suffix}",
        "create": {
            "name": f"Environment {wanted.name}"[:30],
            "folder_id": wanted.folder,
            "billing_account": wanted.billing,
        },
        "deletable": wanted.kind == "popup",
    }  # fmt: skip


def _check(home: Home, name: str, settings: dict[str, Any], environments: dict[str, StackConfig]) -> None:
    """As the program will: alone, beside the others, with every service that runs there."""
    config = parse(name, json.dumps(settings))
    services = services_in(home.checkout / FOLDER)
    together = {**environments, name: config}
    check_together(together)
    check_services(together, services)
    complete(name, config, services)
