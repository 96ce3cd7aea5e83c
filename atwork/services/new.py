"""A new service: its repository from the template, its file in the catalogue."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from atwork.errors import UsageError
from infra.config import check_services
from infra.config import read_all as stacks_in
from infra.layout import SERVICES_FOLDER
from infra.services import complete, read, read_all

TEMPLATE = Path(__file__).resolve().parents[2] / "delivery" / "template"


@dataclass(frozen=True)
class Wanted:
    """What a person said of the service."""

    name: str
    repository: str
    owner: str
    channel: str
    stores: Sequence[str] = ()
    environments: Sequence[str] = ()
    secrets: Sequence[str] = ()
    hosts: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def database(self) -> bool:
        """Whether it keeps data in Cloud SQL: what tests with PostgreSQL runs with it."""
        return "postgres" in self.stores


def create(checkout: Path, wanted: Wanted, target: Path) -> Path:
    """Write the repository to `target` and `services/NAME.yaml`; returns the latter. Refused, nothing is written.

    Raises `UsageError` for a name or folder in use, `ConfigError` for what the catalogue would not take.
    """
    file = checkout / SERVICES_FOLDER / f"{wanted.name}.yaml"
    if file.exists():
        raise UsageError(f"{SERVICES_FOLDER}/{file.name}: there is a service of that name already; choose another name")
    if target.exists() and any(target.iterdir()):
        raise UsageError(f"{target}: is not empty; choose another folder by --into")
    text = catalogue_entry(wanted)
    with tempfile.TemporaryDirectory(prefix="atwork-service-") as name:
        _try(checkout, wanted.name, text, Path(name, SERVICES_FOLDER))
        rendered = Path(name, "repository")
        render(wanted, rendered)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(rendered, target, dirs_exist_ok=True)
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def _try(checkout: Path, name: str, text: str, folder: Path) -> None:
    """Read the catalogue with the new file in it, beside the stacks, as the program will."""
    shutil.copytree(checkout / SERVICES_FOLDER, folder) if (checkout / SERVICES_FOLDER).exists() else folder.mkdir()
    (folder / f"{name}.yaml").write_text(text)
    read(folder / f"{name}.yaml")
    services, stacks = read_all(folder), stacks_in(checkout / "stacks")
    check_services(stacks, services)
    for stack, config in stacks.items():
        complete(stack, config, services)


def render(wanted: Wanted, target: Path) -> None:
    """Fill in the template."""
    import copier  # a large package, needed for this alone

    answers = {
        "name": wanted.name,
        "owner": wanted.owner,
        "channel": wanted.channel,
        "stores": list(wanted.stores),
        "database": wanted.database,
        "secrets": list(wanted.secrets),
    }
    copier.run_copy(str(TEMPLATE), target, data=answers, defaults=True, quiet=True, overwrite=True)


def catalogue_entry(wanted: Wanted) -> str:
    """The text of `services/NAME.yaml`."""
    lines = [
        "# yaml-language-server: $schema=schema.json",
        f"owner: {wanted.owner}",
        f"repository: {wanted.repository}",
        f'channel: "{wanted.channel}"',
    ]
    if wanted.stores:
        lines.append(f"stores: [{', '.join(wanted.stores)}]")
    if wanted.database:
        lines.append("database: {instance: main}")
    if wanted.secrets:
        lines.append(f"secrets: [{', '.join(wanted.secrets)}]")
    lines += ["", "environments:"]
    for environment in wanted.environments:
        host = wanted.hosts.get(environment)
        lines.append(f"  {environment}: {{host: {host}}}" if host else f"  {environment}: {{}}")
    return "\n".join(lines) + "\n"
