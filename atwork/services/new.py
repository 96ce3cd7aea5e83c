"""A new service: its repository from the template, and its service file."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from atwork.errors import ConfigError, UsageError
from atwork.files import replace_file
from components.forms import written
from infra import callers
from infra.catalog import read, read_all
from infra.config import check_services
from infra.config import read_all as stacks_in
from infra.layout import SERVICES_FOLDER
from infra.promotion import release_order, stage
from infra.service_composition import complete
from infra.stack import StackConfig
from infra.stack_name import DEFAULT_GROUP

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
    group: str = DEFAULT_GROUP
    """The folder of its file; `default` is the top level."""

    @property
    def file(self) -> PurePosixPath:
        """Its file, from the root of the checkout."""
        return PurePosixPath(
            SERVICES_FOLDER, *([] if self.group == DEFAULT_GROUP else [self.group]), f"{self.name}.yaml"
        )

    @property
    def database(self) -> bool:
        """Whether it uses Cloud SQL: a service that tests with PostgreSQL does."""
        return "postgres" in self.stores

    @property
    def redis(self) -> bool:
        """Whether it uses Memorystore for Valkey: a service that tests with Redis does."""
        return "redis" in self.stores


def create(checkout: Path, service: NewService, target: Path) -> Path:
    """Write the repository to `target` and return its new service file. On an error, nothing is written.

    Raises `UsageError` for a name or folder in use, `ConfigError` for settings that the catalog refuses.
    """
    file = checkout / service.file
    if file.exists():
        raise UsageError(f"{service.file}: the service already exists; choose another name")
    if target.exists() and any(target.iterdir()):
        raise UsageError(f"{target}: is not empty; choose another folder with --into")
    text = service_file(service)
    with tempfile.TemporaryDirectory(prefix="atwork-service-") as name:
        stacks = stacks_in(checkout / "stacks")
        _validate(checkout, stacks, service.file, text, Path(name))
        rendered = Path(name, "repository")
        render(service, stacks, rendered)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(rendered, target, dirs_exist_ok=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, text)
    return file


def _validate(checkout: Path, stacks: Mapping[str, StackConfig], file: PurePosixPath, text: str, scratch: Path) -> None:
    """Read the catalog with the new file and the stack files, as the program does."""
    source, folder = checkout / SERVICES_FOLDER, scratch / SERVICES_FOLDER
    read_all(source)  # which reports what cannot be copied
    shutil.copytree(source, folder, ignore_dangling_symlinks=True) if source.exists() else folder.mkdir()
    (scratch / file).parent.mkdir(exist_ok=True)
    (scratch / file).write_text(text)
    read(scratch / file, folder)
    services = read_all(folder)
    check_services(stacks, services)
    for stack, config in stacks.items():
        completed = complete(stack, config, services)
        if mistakes := [*callers.mistakes(stack, completed, services, services)]:
            raise ConfigError("\n".join(mistakes))


def render(service: NewService, stacks: Mapping[str, StackConfig], target: Path) -> None:
    """Render the template of a repository; its chart gets a values file for each environment that releases reach."""
    import copier  # a large package that only this function needs

    answers = {
        "name": service.name,
        "owner": service.owner,
        "channel": service.channel,
        "stores": list(service.stores),
        "database": service.database,
        "secrets": list(service.secrets),
        "environments": [{"name": name, "stage": str(stage(stacks[name]))} for name in release_order(stacks)],
    }
    copier.run_copy(str(TEMPLATE), target, data=answers, defaults=True, quiet=True, overwrite=True)


def service_file(service: NewService) -> str:
    """The text of the service file."""
    lines = [
        f"# yaml-language-server: $schema={'../' if service.group != DEFAULT_GROUP else ''}schema.json",
        f"owner: {written(service.owner)}",
        f"repository: {written(service.repository)}",
        f"channel: {written(service.channel)}",
    ]
    if service.stores:
        lines.append(f"stores: [{', '.join(map(written, service.stores))}]")
    if service.database:
        lines.append("database: {instance: main}")
    if service.redis:
        lines.append("redis: {}")
    lines.append("metrics: true")
    if service.secrets:
        lines.append(f"secrets: [{', '.join(map(written, service.secrets))}]")
    lines += ["", "environments:"]
    for environment in service.environments:
        host = service.hosts.get(environment)
        lines.append(f"  {written(environment)}: {f'{{host: {written(host)}}}' if host else '{}'}")
    return "\n".join(lines) + "\n"
