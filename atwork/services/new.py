"""A new service: its repository from the template, and its service file."""

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
from infra.service_composition import complete
from infra.services import read, read_all

TEMPLATE = Path(__file__).resolve().parents[2] / "delivery" / "template"


@dataclass(frozen=True)
class NewService:
    """The settings of a new service."""

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
        """Whether it uses Cloud SQL: a service that tests with PostgreSQL does."""
        return "postgres" in self.stores


def create(checkout: Path, service: NewService, target: Path) -> Path:
    """Write the repository to `target` and return the new `services/NAME.yaml`. On an error, nothing is written.

    Raises `UsageError` for a name or folder in use, `ConfigError` for settings that the catalog refuses.
    """
    file = checkout / SERVICES_FOLDER / f"{service.name}.yaml"
    if file.exists():
        raise UsageError(f"{SERVICES_FOLDER}/{file.name}: the service already exists; choose another name")
    if target.exists() and any(target.iterdir()):
        raise UsageError(f"{target}: is not empty; choose another folder with --into")
    text = service_file(service)
    with tempfile.TemporaryDirectory(prefix="atwork-service-") as name:
        _validate(checkout, service.name, text, Path(name, SERVICES_FOLDER))
        rendered = Path(name, "repository")
        render(service, rendered)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(rendered, target, dirs_exist_ok=True)
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def _validate(checkout: Path, name: str, text: str, folder: Path) -> None:
    """Read the catalog with the new file and the stack files, as the program does."""
    shutil.copytree(checkout / SERVICES_FOLDER, folder) if (checkout / SERVICES_FOLDER).exists() else folder.mkdir()
    (folder / f"{name}.yaml").write_text(text)
    read(folder / f"{name}.yaml")
    services, stacks = read_all(folder), stacks_in(checkout / "stacks")
    check_services(stacks, services)
    for stack, config in stacks.items():
        complete(stack, config, services)


def render(service: NewService, target: Path) -> None:
    """Render the template of a repository."""
    import copier  # a large package that only this function needs

    answers = {
        "name": service.name,
        "owner": service.owner,
        "channel": service.channel,
        "stores": list(service.stores),
        "database": service.database,
        "secrets": list(service.secrets),
    }
    copier.run_copy(str(TEMPLATE), target, data=answers, defaults=True, quiet=True, overwrite=True)


def service_file(service: NewService) -> str:
    """The text of `services/NAME.yaml`."""
    lines = [
        "# yaml-language-server: $schema=schema.json",
        f"owner: {service.owner}",
        f"repository: {service.repository}",
        f'channel: "{service.channel}"',
    ]
    if service.stores:
        lines.append(f"stores: [{', '.join(service.stores)}]")
    if service.database:
        lines.append("database: {instance: main}")
    if service.secrets:
        lines.append(f"secrets: [{', '.join(service.secrets)}]")
    lines += ["", "environments:"]
    for environment in service.environments:
        host = service.hosts.get(environment)
        lines.append(f"  {environment}: {{host: {host}}}" if host else f"  {environment}: {{}}")
    return "\n".join(lines) + "\n"
