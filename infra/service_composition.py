"""A stack's settings with the services of the catalog.

In every environment that its file names, a service gets what a stack file could also state: a tenant (namespace,
account, rights, traffic), a database with a login, secrets. The sum is validated again, and the rest of the program
needs no other knowledge of services.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from components.database_login import DatabaseUserSettings
from components.database_settings import DatabaseSettings
from components.google.memorystore import region_mistake
from components.google.sql import system_databases
from components.secrets import SecretSettings
from components.tenant import TenantSettings, TenantTrafficSettings
from infra import CONFIG_KEY
from infra.errors import ConfigError
from infra.services import ServiceDatabaseSettings, ServiceEnvironmentSettings, ServiceSettings, database_name, within
from infra.stack import StackConfig
from infra.validation import config_errors, stated

_MOST_NAMED = 3
"""Service files that an error about all of them names."""


def complete(stack: str, config: StackConfig, services: Mapping[str, ServiceSettings]) -> StackConfig:
    """The stack's settings with every service that runs there; `ConfigError` names the service's file."""
    here = {name: (services[name], place) for name, place in within(stack, config.environment, services).items()}
    mistakes = [
        message for name, (service, place) in here.items() for message in _misfits(stack, config, name, service, place)
    ]
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    if not here:
        return config
    files = ", ".join(service.file for service, _ in islice(here.values(), _MOST_NAMED))
    files += f" and {len(here) - _MOST_NAMED} more" if len(here) > _MOST_NAMED else ""
    with config_errors(StackConfig, f"stacks/Pulumi.{stack}.yaml with {files}", (CONFIG_KEY,)):
        tenants = config.tenants | {name: _tenant(name, service, place) for name, (service, place) in here.items()}
        databases = {key: _with_services(instance, _databases(key, here)) for key, instance in config.databases.items()}
        return StackConfig.model_validate(stated(config) | {"tenants": tenants, "databases": databases})


def _misfits(
    stack: str, config: StackConfig, name: str, service: ServiceSettings, place: ServiceEnvironmentSettings
) -> Iterator[str]:
    file = service.file
    if name in config.tenants:
        yield f"{file}: stacks/Pulumi.{stack}.yaml has tenants.{name} already; remove it there"
    if service.redis_in(place) is not None and (mistake := region_mistake(config.region)):
        key = f"environments.{stack}.redis" if place.redis is not None else "redis"
        yield f"{file}: {key}: {mistake}; or leave redis out in {stack}, the environment in {config.region}"
    yield from _unreachable(stack, config, service, place)
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
    elif (database := database_name(name, service.database)) in system_databases(instance.engine):
        yield f"{file}: database: every instance has {database} from the start; set database.name to another one"
    elif database in instance.databases or name in instance.users:
        yield (
            f"{file}: database: stacks/Pulumi.{stack}.yaml has {database} or the user "
            f"{name} in databases.{service.database.instance} already; remove it there"
        )
    else:
        yield from _strangers(stack, instance, service.file, service.database)


def _unreachable(
    stack: str, config: StackConfig, service: ServiceSettings, place: ServiceEnvironmentSettings
) -> Iterator[str]:
    """A host that the environment's gateway does not answer, or not for whom it should."""
    if place.host is None:
        return
    key, there = f"{service.file}: environments.{stack}", f"stacks/Pulumi.{stack}.yaml"
    gateway = config.gateway
    if gateway is None:
        yield f"{key}.host: {there} has no gateway, so that nothing answers; add gateway there, or remove host"
    elif mistake := gateway.mistake(place.host):
        yield f"{key}.host: {mistake}"
    elif place.host in config.delivery_hosts():
        yield f"{key}.host: {place.host} is {config.delivery_key}'s in {there}; choose another"
    elif gateway.internal is not None:
        if place.public:
            yield f"{key}.public: the gateway of {there} is internal, and the internet does not reach it; remove public"
    elif place.public and gateway.waf is None:
        yield f"{key}.public: {there} has no web application firewall; remove gateway.waf: null there, or public here"
    elif not place.public and gateway.iap is None:
        yield (
            f"{key}.host: is not public, and {there} admits nobody; add gateway.iap with groups there, or write "
            "public: true"
        )


def _strangers(stack: str, instance: DatabaseSettings, file: str, database: ServiceDatabaseSettings) -> Iterator[str]:
    """Groups with rights in a database that cannot log in to its instance."""
    key = f"databases.{database.instance}"
    for right, groups in (("writers", database.writers), ("readers", database.readers)):
        for group in groups:
            if group not in instance.groups:
                yield (
                    f"{file}: database.{right}: {group} cannot log in to {key} of {stack}; add it to {key}.groups in "
                    f"stacks/Pulumi.{stack}.yaml, or remove it here"
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
        traffic=TenantTrafficSettings.model_validate(
            stated(service.traffic) | {"databases": service.database is not None}
        ),
        secrets=dict.fromkeys(service.secrets, secret),
        redis=service.redis_in(place),
    )


def _databases(instance: str, here: Mapping[str, tuple[ServiceSettings, ServiceEnvironmentSettings]]) -> dict[str, str]:
    """The databases that services have in an instance, by service."""
    return {
        name: database_name(name, service.database)
        for name, (service, _) in here.items()
        if service.database is not None and service.database.instance == instance
    }


def _with_services(instance: DatabaseSettings, added: Mapping[str, str]) -> DatabaseSettings:
    """An instance with these databases and a login for each."""
    if not added:
        return instance
    logins = {name: DatabaseUserSettings(namespace=name, service_account=name) for name in added}
    additions = {"databases": (*instance.databases, *added.values()), "users": instance.users | logins}
    return DatabaseSettings.model_validate(stated(instance) | additions)
