"""The settings of a service: one file `services/NAME.yaml` or `services/GROUP/NAME.yaml` for each.

That file is all that onboarding a service needs (infra/service_composition.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Self

from pydantic import Field, PrivateAttr, model_validator

from components.delivery import StoreName
from components.forms import TextForm
from components.monitoring.slo_settings import SloSettings
from components.namespace import NamespaceSettings
from components.redis import RedisSettings
from components.secrets import SecretName, SecretRotationSettings
from components.settings import (
    DatabaseName,
    DnsLabel,
    Email,
    GithubRepositoryUrl,
    Hostname,
    Owner,
    Settings,
    SlackChannel,
)
from components.tenant import TenantTrafficSettings
from infra import CONFIG_KEY
from infra.environment_settings import EnvironmentSettings
from infra.layout import SERVICES_FOLDER
from infra.stack_name import DEFAULT_GROUP

LONGEST_NAME = 40
"""The most characters of the name of a service."""

_BRANCH = r"^(?!refs/)[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$"


class ServiceEnvironmentSettings(Settings):
    """A service in one environment."""

    host: Hostname | None = None
    """Name under which it is reached from outside; none where only other services call it. Its domain is that of the
    stack's `gateway`."""

    public: bool = False
    """Whether everybody reaches the host. Otherwise the Identity-Aware Proxy admits the groups of the stack's
    `gateway.iap`."""

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

    redis: RedisSettings | None = None
    """Its Redis here, in place of the one for all environments."""

    slo: SloSettings | None = None
    """Its objectives here, in place of those for all environments; null turns them off."""


class ServiceDatabaseSettings(Settings):
    """A database of its own in an instance of the stack."""

    instance: DnsLabel = "main"
    """Key in the stack's `databases`."""

    name: DatabaseName | None = None
    """Name of the database; the service's own where it is left out."""

    writers: tuple[Email, ...] = ()
    """Google Groups whose members read and write its rows, of the instance's `groups`."""

    readers: tuple[Email, ...] = ()
    """Google Groups whose members read its rows, of the instance's `groups`."""

    @model_validator(mode="after")
    def _groups_once(self) -> Self:
        both = sorted(set(self.writers) & set(self.readers))
        if both:
            raise ValueError(f"readers: {', '.join(both)} is among writers, who read too; remove it here")
        return self


class ServiceSettings(Settings):
    """All that the platform has to know of a service."""

    owner: Owner
    """Team that answers for it."""

    repository: GithubRepositoryUrl
    """Git repository, with a Jenkinsfile, a Dockerfile, a Makefile and a chart."""

    main_branch: Annotated[
        str,
        TextForm(
            _BRANCH, "a branch without refs/: letters, digits, dots, hyphens, underscores and slashes", "release/1"
        ),
    ] = "main"
    """Branch whose builds are released and deployed."""

    channel: SlackChannel
    """Slack channel of its builds, deploys and alerts."""

    stores: tuple[StoreName, ...] = ()
    """Data stores that its tests start."""

    database: ServiceDatabaseSettings | None = None
    """Present when it keeps data in Cloud SQL."""

    redis: RedisSettings | None = None
    """Present when it uses Redis in every environment."""

    health_path: Annotated[
        str,
        TextForm(r"^/[A-Za-z0-9._~/?&=%-]*$", "a path that begins with /", "/healthz"),
    ] = "/healthz"
    """Path that answers with a status of 200 to 299 while the service works; uptime checks ask its public hosts for
    it."""

    rollout_minutes: Annotated[int, Field(ge=1, le=60)] = 10
    """How long a deploy waits for its migration and for the pods of a new version, each; then the version before comes
    back."""

    metrics: bool = False
    """Whether its chart has a `PodMonitoring` for `http_requests_total` and `http_request_duration_seconds`, as the
    template's has."""

    slo: SloSettings | None = None
    """Its objectives in every environment with alerts; needs `metrics`."""

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

    _file: str = PrivateAttr(default="")

    @property
    def file(self) -> str:
        """The file that states it: `services/NAME.yaml` or `services/GROUP/NAME.yaml`."""
        return self._file

    @property
    def group(self) -> str:
        """The group that it belongs to: the folder of its file."""
        return group_of(self._file)

    def read_from(self, file: str) -> Self:
        """Remember the file that states it."""
        self._file = file
        return self

    def redis_in(self, place: ServiceEnvironmentSettings) -> RedisSettings | None:
        """Its Redis in an environment."""
        return place.redis or self.redis

    def slo_in(self, place: ServiceEnvironmentSettings) -> SloSettings | None:
        """Its objectives in an environment."""
        return place.slo if "slo" in place.model_fields_set else self.slo

    @property
    def uses_redis(self) -> bool:
        """Whether it has a Redis in an environment."""
        places = [*self.environments.values(), *([self.ephemeral] if self.ephemeral else [])]
        return any(self.redis_in(place) is not None for place in places)

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        for key, given in (("stores", self.stores), ("secrets", self.secrets)):
            twice = sorted({item for item in given if given.count(item) > 1})
            if twice:
                raise ValueError(f"{key}: {', '.join(twice)} is there twice; remove one")
        if re.match(r"PR-\d", self.main_branch):
            raise ValueError(f"main_branch: Jenkins calls pull requests {self.main_branch}; rename the branch")
        if self.ephemeral is not None and self.ephemeral.host is not None:
            raise ValueError(
                "ephemeral.host: an ephemeral environment has no gateway; remove it, and use kubectl port-forward"
            )
        if "health_path" in self.model_fields_set and not any(place.public for place in self.environments.values()):
            raise ValueError("health_path: no host of the service is public, so nothing asks for it; remove it")
        for stack, place in self.environments.items():
            if place.public and place.host is None:
                raise ValueError(f"environments.{stack}.public: there is no host; add host, or remove public")
            if place.rotation is not None and not self.secrets:
                raise ValueError(f"environments.{stack}.rotation: there are no secrets to change; remove it")
        return self

    @model_validator(mode="after")
    def _objectives_are_measured(self) -> Self:
        if self.ephemeral is not None and self.ephemeral.slo is not None:
            raise ValueError("ephemeral.slo: an ephemeral environment has no alerts; remove it")
        places = {f"environments.{stack}.slo": place.slo for stack, place in self.environments.items()}
        for key, slo in {"slo": self.slo, **places}.items():
            if slo is not None and not self.metrics:
                raise ValueError(
                    f"{key}: the service exports no metrics; set metrics to true once its chart has a PodMonitoring, "
                    "as the template's, or remove slo"
                )
        return self


def group_of(file: str) -> str:
    """The group of a service file by its path from the root of the checkout."""
    parts = file.split("/")
    return parts[1] if len(parts) == 3 else DEFAULT_GROUP


def is_name(name: str) -> bool:
    """Whether a service can have this name: its namespace, account, repository and host share it."""
    letters = name.replace("-", "")
    return (
        letters.isascii()
        and letters.isalnum()
        and name == name.lower()
        and name[0].isalpha()
        and name[-1] != "-"
        and len(name) <= LONGEST_NAME
    )


def database_name(service: str, settings: ServiceDatabaseSettings) -> str:
    """The name of a service's database."""
    return settings.name or service.replace("-", "_")


def within(
    stack: str, environment: EnvironmentSettings, services: Mapping[str, ServiceSettings]
) -> dict[str, ServiceEnvironmentSettings]:
    """How each service runs in an environment, for those that do."""
    places = {name: place for name, service in services.items() if (place := service.environments.get(stack))}
    if environment.kind == "ephemeral":
        places = {name: places.get(name, service.ephemeral) for name, service in services.items()}
    return {
        name: place
        for name, place in places.items()
        if place is not None and (environment.services is None or name in environment.services)
    }


def behind_proxy(
    stack: str, environment: EnvironmentSettings, services: Mapping[str, ServiceSettings]
) -> frozenset[str]:
    """The services with a host that is not public, for an external gateway."""
    places = within(stack, environment, services)
    return frozenset(name for name, place in places.items() if place.host is not None and not place.public)


def not_there(
    stack: str,
    environment: EnvironmentSettings,
    services: Mapping[str, ServiceSettings],
    invalid: Collection[str] = (),
) -> Iterator[str]:
    """What is wrong with the services that an ephemeral environment chooses; files of `invalid` ones exist."""
    if environment.services is None:
        return
    key = f"stacks/Pulumi.{stack}.yaml: {CONFIG_KEY}.environment.services"
    runs = within(stack, environment, services)
    for name in (name for name in environment.services if name not in invalid):
        if name not in services:
            able = ", ".join(key for key, service in services.items() if service.ephemeral is not None) or "none"
            yield f"{key}: there is no {SERVICES_FOLDER}/{name}.yaml; name one of {able}"
        elif name not in runs:
            yield (
                f"{key}: {services[name].file} keeps {name} out of ephemeral environments (ephemeral: null); "
                "leave it out here"
            )
