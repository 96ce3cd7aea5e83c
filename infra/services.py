"""The catalogue: one file `services/NAME.yaml` for each service, read by every stack.

Onboarding is that one file. In every environment that it names, the service gets what a stack file could also say: a
tenant (namespace, account, rights, traffic), a database with a login, secrets. The stack's settings are completed with
these and then checked as a whole, so that the rest of the program knows of services nothing more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from components.database import DatabaseSettings
from components.database_login import DatabaseUserSettings
from components.delivery import StoreName
from components.namespace import NamespaceSettings
from components.secrets import SecretName, SecretRotationSettings, SecretSettings
from components.settings import DnsLabel, Email, Hostname, HttpsUrl, LabelValue, Settings
from components.tenant import TenantSettings, TenantTrafficSettings
from infra import CONFIG_KEY
from infra.delivery.settings import RESERVED_NAMES
from infra.environment_settings import EnvironmentSettings
from infra.errors import ConfigError
from infra.layout import SERVICES_FOLDER
from infra.stack import StackConfig
from infra.yaml_files import config_errors, read_yaml, settings_from_json, stated

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
    """Google Groups that may look, beside the service's own."""

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
            twice = sorted({one for one in given if given.count(one) > 1})
            if twice:
                raise ValueError(f"{key}: {', '.join(twice)} is there twice; remove one")
        for stack, place in self.environments.items():
            if place.rotation is not None and not self.secrets:
                raise ValueError(f"environments.{stack}.rotation: there are no secrets to change; remove it")
        return self


def read_all(folder: Path) -> dict[str, ServiceSettings]:
    """All services by name, each valid by itself; `ConfigError` has a line for every mistake."""
    found: dict[str, ServiceSettings] = {}
    mistakes: list[str] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            found[path.stem] = read(path)
        except ConfigError as error:
            mistakes.append(str(error))
    mistakes += _conflicts(found)
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return found


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
    """Whether a service may be called so: it becomes a namespace, an account, a repository and a host's first part."""
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
    found: dict[str, ServiceEnvironmentSettings] = {}
    for name, service in services.items():
        place = service.environments.get(stack)
        if place is None and environment.kind == "ephemeral":
            place = service.ephemeral
        chosen = environment.services is None or name in environment.services
        if place is not None and chosen:
            found[name] = place
    return found


def not_there(stack: str, environment: EnvironmentSettings, services: Mapping[str, ServiceSettings]) -> Iterator[str]:
    """What is wrong with the services that an ephemeral environment chooses."""
    key = f"stacks/Pulumi.{stack}.yaml: {CONFIG_KEY}.environment.services"
    runs = within(stack, environment, services)
    for name in environment.services or ():
        if name not in services:
            able = ", ".join(one for one, service in services.items() if service.ephemeral is not None) or "none"
            yield f"{key}: there is no {SERVICES_FOLDER}/{name}.yaml; name one of {able}"
        elif name not in runs:
            yield (
                f"{key}: {SERVICES_FOLDER}/{name}.yaml keeps {name} out of ephemeral environments (ephemeral: null); "
                "leave it out here"
            )


def complete(stack: str, config: StackConfig, services: Mapping[str, ServiceSettings]) -> StackConfig:
    """The stack's settings with every service that runs there; `ConfigError` names the service's file."""
    here = {name: (services[name], place) for name, place in within(stack, config.environment, services).items()}
    mistakes = [message for name, (service, _) in here.items() for message in _misfits(stack, config, name, service)]
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    if not here:
        return config
    tenants, databases = dict(config.tenants), dict(config.databases)
    files = ", ".join(f"{SERVICES_FOLDER}/{name}.yaml" for name in here)
    with config_errors(StackConfig, f"stacks/Pulumi.{stack}.yaml with {files}", (CONFIG_KEY,)):
        for name, (service, place) in here.items():
            tenants[name] = _tenant(name, service, place)
            if service.database is not None:
                instance = databases[service.database.instance]
                login = DatabaseUserSettings(namespace=name, service_account=name)
                additions = {
                    "databases": (*instance.databases, database_name(name, service.database)),
                    "users": {**instance.users, name: login},
                }
                databases[service.database.instance] = DatabaseSettings.model_validate(stated(instance) | additions)
        return StackConfig.model_validate(stated(config) | {"tenants": tenants, "databases": databases})


def _misfits(stack: str, config: StackConfig, name: str, service: ServiceSettings) -> Iterator[str]:
    file = f"{SERVICES_FOLDER}/{name}.yaml"
    if name in config.tenants:
        yield f"{file}: stacks/Pulumi.{stack}.yaml has tenants.{name} already; remove it there"
    if service.database is None:
        return
    instance = config.databases.get(service.database.instance)
    if instance is None:
        there = ", ".join(config.databases) or "none"
        leave = f"remove environments.{stack}" if stack in service.environments else "keep it out by ephemeral: null"
        yield (
            f"{file}: database.instance: stacks/Pulumi.{stack}.yaml has no databases.{service.database.instance} "
            f"(it has {there}); add it there, or {leave}"
        )
    elif database_name(name, service.database) in instance.databases or name in instance.users:
        yield (
            f"{file}: database: stacks/Pulumi.{stack}.yaml has {database_name(name, service.database)} or the user "
            f"{name} in databases.{service.database.instance} already; remove it there"
        )


def _tenant(name: str, service: ServiceSettings, place: ServiceEnvironmentSettings) -> TenantSettings:
    secret = SecretSettings(readers=(name,), rotation=place.rotation)
    return TenantSettings(
        owner=service.owner,
        size=place.size,
        deletion_protection=place.deletion_protection,
        accounts=(name,),
        viewers=tuple(sorted({*service.viewers, *place.viewers})),
        editors=place.editors,
        traffic=service.traffic.model_copy(update={"databases": service.database is not None}),
        secrets=dict.fromkeys(service.secrets, secret),
    )
