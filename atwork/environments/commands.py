"""The commands of `atwork environment`; each returns the exit code."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from atwork.environments import derive, files
from atwork.sandbox.home import Home, here
from atwork.sandbox.session import deployment
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


def new(wanted: Wanted, *, dry_run: bool) -> int:
    """Write the stack file of a new environment, and its line in the stack that it reads."""
    home, console = here(), Console(highlight=False, soft_wrap=True)
    made = derived(home, wanted, datetime.now(UTC))
    console.print(_shown(made))
    if dry_run:
        console.print("Nothing is written (--dry-run). The file would be:\n")
        console.print(made.text, markup=False)
        return 0
    files.replace(made.file, made.text)
    if made.upstream_file is not None:
        files.replace(made.upstream_file, made.upstream_text)
    console.print(f"Wrote {_short(home, made.file)}", end="")
    console.print(f" and a line in {_short(home, made.upstream_file)}" if made.upstream_file is not None else "")
    console.print(f"Try it:  atwork sandbox up {made.settings['upstream']} {wanted.name}")
    console.print("For real: a pull request with both files; its preview shows the new environment before it exists.")
    return 0


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


def _shown(made: Derived) -> Table:
    settings = made.settings
    table = Table("derived", "value", box=None, pad_edge=False)
    environment = settings["environment"]
    rows = {
        "environment": f"{environment['kind']}, {environment['owner']}",
        "ends": environment.get("expires_at", "never"),
        "project": settings["project"]["id"],
        "region": settings["region"]
        + (f", zone {settings['cluster']['zone']}" if "zone" in settings["cluster"] else ""),
        "nodes": settings["network"]["nodes"],
        "pods": settings["network"]["pods"],
        "node pools": ", ".join(
            f"{key} {pool['min_nodes']} to {pool['max_nodes']} {pool['machine_type']}"
            for key, pool in settings["node_pools"].items()
        ),
        "databases": ", ".join(f"{key} {one['tier']}" for key, one in settings.get("databases", {}).items()) or "none",
    }
    for key, value in rows.items():
        table.add_row(key, str(value))
    return table


def listed() -> int:
    """All environments, with who answers for them and when they end."""
    home, now = here(), datetime.now(UTC)
    table = Table("environment", "kind", "owner", "region", "project", "nodes", "ends", box=None, pad_edge=False)
    for name, one in read_all(home.checkout / "stacks").items():
        ends = one.environment.expires_at
        when = "" if ends is None else f"{ends:%Y-%m-%d %H:%M} UTC{' (over)' if ends < now else ''}"
        table.add_row(
            name, one.environment.kind, one.environment.owner, one.region, one.project.id, one.network.nodes, when
        )
    Console(width=160, highlight=False).print(table)
    return 0


def extend(name: str, ttl: str) -> int:
    """Give a popup another end, counted from now."""
    file, config = _found(name)
    if config.environment.kind != "popup":
        raise ConfigError(f"stacks/{file.name}: {name} is long-lived and has no end")
    expires = (datetime.now(UTC) + derive.span(ttl)).strftime("%Y-%m-%dT%H:%M:%SZ")
    files.replace(file, files.with_end(file.read_text(), expires))
    print(f"{name} ends {expires}; `atwork up` or the next merge writes it on everything")
    return 0


def remove(name: str) -> int:
    """Remove the files of an environment that is gone."""
    home = here()
    file, config = _found(name)
    left = deployment(home, name).get("resources")
    if left:
        raise ConfigError(f"{name} is still up in the sandbox; run `atwork sandbox down {name}` first")
    if config.environment.kind != "popup":
        raise ConfigError(
            f"stacks/{file.name}: {name} is long-lived; remove its file by hand when it is decommissioned"
        )
    upstream = file.with_name(f"Pulumi.{config.upstream}.yaml")
    files.replace(upstream, files.without_deploy(upstream.read_text(), name))
    file.unlink()
    print(
        f"removed stacks/{file.name} and its line in stacks/{upstream.name}; `pulumi stack rm {name}` forgets its state"
    )
    return 0


def _found(name: str) -> tuple[Path, StackConfig]:
    stacks = here().checkout / "stacks"
    environments = read_all(stacks)
    if name not in environments:
        raise ConfigError(f"stacks/Pulumi.{name}.yaml: there is no such file; there are {', '.join(environments)}")
    return stacks / f"Pulumi.{name}.yaml", environments[name]


def _short(home: Home, path: Path | None) -> str:
    return "" if path is None else str(path.relative_to(home.checkout))
