"""The catalog: one file `services/NAME.yaml` for each service, read by every stack.

That file is all that onboarding a service needs (infra/service_composition.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from components.delivery import StoreName
from components.namespace import NamespaceSettings
from components.secrets import SecretName, SecretRotationSettings
from components.settings import DnsLabel, Email, Hostname, HttpsUrl, LabelValue, Settings
from components.tenant import TenantTrafficSettings
from infra import CONFIG_KEY
from infra.delivery.settings import RESERVED_NAMES
from infra.environment_settings import EnvironmentSettings
from infra.errors import ConfigError
from infra.layout import SERVICES_FOLDER
from infra.yaml_files import read_yaml, settings_from_json

_LONGEST_WITH_DATABASE = 19


class ServiceEnvironmentSettings(Settings):
    """A service in one environment."""

    host: Hostname | None = None
    """Name under which it is reached from outside; none where only other services call it."""

    size: NamespaceSettings = NamespaceSettings()
    """Quota and default limits of its namespace."""

    deletion_protection: bool = True
    """Guard its namespace and secrets, where the environment is guarded; false in a change before it is removed."""

    viewers: tuple[Email, ...] = ()
    """Google Groups that may look, in addition to those of the service."""

    editors: tuple[Email, ...] = ()
    """Google Groups that may change things by hand; in production only the deployer should."""

    rotation: SecretRotationSettings | None = None
    """When somebody is reminded to change its secrets."""


class ServiceDatabaseSettings(Settings):
    """A database of its own in an instance of the stack."""

    instance: DnsLabel = "main"
    """Key in the stack's `databases`."""

    name: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")] | None = None
    """Name of the database; the service's own where it is left out."""


class ServiceSettings(Settings):
    """All that the platform has to know of a service."""

    owner: LabelValue
    """Team that answers for it."""

    repository: HttpsUrl
    """Git repository, with a Jenkinsfile, a Dockerfile, a Makefile and a chart."""

    channel: Annotated[str, Field(pattern=r"^#[a-z0-9_-]+$")]
    """Slack channel of its builds, deploys and alerts."""

    stores: tuple[StoreName, ...] = ()
    """Data stores that its tests start."""

    database: ServiceDatabaseSettings | None = None
    """Present when it keeps data in Cloud SQL."""

    secrets: tuple[SecretName, ...] = ()
    """Secrets in Secret Manager that its pods read, `NAMESPACE-SECRET` there."""

    traffic: TenantTrafficSettings = TenantTrafficSettings()
    """Whom its pods talk to."""

    viewers: tuple[Email, ...] = ()
    """Google Groups that may look, in every environment."""

    environments: Annotated[dict[DnsLabel, ServiceEnvironmentSettings], Field(min_length=1)]
    """Where it runs, by the stack's name."""

    ephemeral: ServiceEnvironmentSettings | None = ServiceEnvironmentSettings()
    """How it runs in ephemeral environments; null keeps it out of them and of preview namespaces."""

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        for key, given in (("stores", self.stores), ("secrets", self.secrets)):
            twice = sorted({item for item in given if given.count(item) > 1})
            if twice:
                raise ValueError(f"{key}: {', '.join(twice)} is there twice; remove one")
        for stack, place in self.environments.items():
            if place.rotation is not None and not self.secrets:
                raise ValueError(f"environments.{stack}.rotation: there are no secrets to change; remove it")
        return self


def read_all(folder: Path) -> dict[str, ServiceSettings]:
    """All services by name, each valid by itself; `ConfigError` has a line for every mistake."""
    services: dict[str, ServiceSettings] = {}
    mistakes: list[str] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            services[path.stem] = read(path)
        except ConfigError as error:
            mistakes.append(str(error))
    mistakes += _conflicts(services)
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return services


def read(path: Path) -> ServiceSettings:
    """One service; the file's name is the service's."""
    shown = f"{SERVICES_FOLDER}/{path.name}"
    service = settings_from_json(ServiceSettings, json.dumps(read_yaml(path, shown)), shown, ())
    mistakes = [f"{shown}: {message}" for message in _names(path.stem, service)]
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return service


def _names(name: str, service: ServiceSettings) -> Iterator[str]:
    if not is_name(name):
        yield "the file's name is the service's: lower-case letters, digits and hyphens, a letter first; rename it"
    elif name in RESERVED_NAMES or re.fullmatch(r"preview-\d+", name):
        yield "the name is reserved for preview namespaces; rename the file"
    elif service.database is not None and not 2 <= len(name) <= _LONGEST_WITH_DATABASE:
        yield (
            f"database: its login is called as the service, 2 to {_LONGEST_WITH_DATABASE} characters "
            f"({name} has {len(name)}); choose another name"
        )


def is_name(name: str) -> bool:
    """Whether a service can have this name: its namespace, account, repository and host share it."""
    letters = name.replace("-", "")
    return (
        letters.isascii()
        and letters.isalnum()
        and name == name.lower()
        and name[0].isalpha()
        and name[-1] != "-"
        and len(name) <= 40
    )


def _conflicts(services: Mapping[str, ServiceSettings]) -> Iterator[str]:
    """What two services may not share: a repository, a host, a database."""
    taken: dict[tuple[str, str], str] = {}
    for name, service in services.items():
        claims = [("repository", service.repository.removesuffix(".git"))]
        claims += [("host", place.host) for place in service.environments.values() if place.host is not None]
        if service.database is not None:
            claims.append(("database", f"{service.database.instance}/{database_name(name, service.database)}"))
        for claim in claims:
            other = taken.setdefault(claim, name)
            if other != name:
                file, owner = (f"{SERVICES_FOLDER}/{service_name}.yaml" for service_name in (name, other))
                yield f"{file}: {claim[0]} {claim[1]} is {owner}'s already; choose another"


def database_name(service: str, settings: ServiceDatabaseSettings) -> str:
    """The name of a service's database."""
    return settings.name or service.replace("-", "_")


def within(
    stack: str, environment: EnvironmentSettings, services: Mapping[str, ServiceSettings]
) -> dict[str, ServiceEnvironmentSettings]:
    """How each service runs in an environment, for those that do."""
    running: dict[str, ServiceEnvironmentSettings] = {}
    for name, service in services.items():
        place = service.environments.get(stack)
        if place is None and environment.kind == "ephemeral":
            place = service.ephemeral
        chosen = environment.services is None or name in environment.services
        if place is not None and chosen:
            running[name] = place
    return running


def not_there(stack: str, environment: EnvironmentSettings, services: Mapping[str, ServiceSettings]) -> Iterator[str]:
    """What is wrong with the services that an ephemeral environment chooses."""
    key = f"stacks/Pulumi.{stack}.yaml: {CONFIG_KEY}.environment.services"
    runs = within(stack, environment, services)
    for name in environment.services or ():
        if name not in services:
            able = ", ".join(key for key, service in services.items() if service.ephemeral is not None) or "none"
            yield f"{key}: there is no {SERVICES_FOLDER}/{name}.yaml; name one of {able}"
        elif name not in runs:
            yield (
                f"{key}: {SERVICES_FOLDER}/{name}.yaml keeps {name} out of ephemeral environments (ephemeral: null); "
                "leave it out here"
            )
