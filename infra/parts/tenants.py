"""The teams' namespaces, their secrets, and the configuration that each service reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.database_engine import login_name
from components.database_job import JobImages
from components.database_login import login_account_id
from components.gateway.hosts import expose, record
from components.gateway.iap_client import synchronize
from components.monitoring.objectives import Objectives
from components.monitoring.uptime import uptime_check
from components.redis import Redis
from components.secrets import Secrets
from components.service import DatabaseFacts, RedisFacts, ServiceFacts
from components.service_rights import ServiceDatabaseRefs, ServiceRights
from components.tenant import Tenant
from infra.contract import Shared
from infra.environment import Environment, through
from infra.parts import redis
from infra.parts.gateway import iap_client
from infra.services import ServiceEnvironmentSettings, database_name, within


@dataclass(frozen=True)
class Logins:
    """The logins of services in databases."""

    accounts: Mapping[str, Mapping[str, pulumi.Output[str]]]
    """E-mail addresses of their service accounts, by instance and user."""
    components: Sequence[pulumi.Resource]
    """The components with the databases and the users."""


def make(
    here: Environment,
    shared: Shared,
    databases: Logins,
    *,
    redis_access: Sequence[pulumi.Resource] = (),
    google: pulumi.ProviderResource,
    cluster_provider: pulumi.ProviderResource,
) -> None:
    """One namespace for each tenant; the deployer may change what is in it."""
    config = here.config
    for key, settings in here.tenants.items():
        protect = here.guarded and settings.deletion_protection
        logins = {
            account: databases.accounts[instance][user] for account, (instance, user) in config.logins(key).items()
        }
        store = redis.make(here, key, shared, logins, access=redis_access, google=google)
        if store is not None:
            logins |= store.logins
        tenant = Tenant(
            f"tenant-{key}",
            settings,
            physical_name=key,
            logins=logins,
            deployer=shared.deployer,
            database_range=config.network.nodes,
            proxies=config.network.proxies,
            protect=protect,
            host=_host(here, key),
            opts=through(cluster_provider),
        )
        Secrets(
            f"secrets-{key}",
            settings.secrets,
            store=config.secrets,
            namespace=key,
            project_number=shared.project_number,
            workload_pool=shared.workload_pool,
            logins=logins,
            key_in=shared.secrets_keys.get,
            agent=shared.secrets_agent,
            protect=protect,
            labels=here.labels,
            opts=through(google),
        )
        if key in here.services or store is not None:
            _facts(here, key, tenant, shared, databases.accounts, store, cluster_provider)
        if key in here.services:
            _rights(here, key, tenant, shared, databases, cluster_provider)
            _expose(here, key, tenant, shared, google, cluster_provider)
            _objectives(here, key, tenant, cluster_provider)


def _facts(
    here: Environment,
    service: str,
    tenant: Tenant,
    shared: Shared,
    accounts: Mapping[str, Mapping[str, pulumi.Output[str]]],
    store: Redis | None,
    cluster_provider: pulumi.ProviderResource,
) -> None:
    settings = here.services.get(service)
    database = None
    if settings is not None and settings.database is not None:
        instance = settings.database.instance
        database = DatabaseFacts(
            shared.instances[instance].connection_name,
            database_name(service, settings.database),
            accounts[instance][service],
            here.config.databases[instance].version,
        )
    ServiceFacts(
        f"service-{service}",
        namespace=tenant.namespace_name,
        facts={
            "ATWORK_ENVIRONMENT": here.name,
            "GOOGLE_CLOUD_PROJECT": here.config.project.id,
            "GOOGLE_CLOUD_REGION": here.config.region,
        },
        database=database,
        redis=None if store is None else RedisFacts(store.address, store.authorities),
        opts=through(cluster_provider),
    )


def _rights(
    here: Environment,
    service: str,
    tenant: Tenant,
    shared: Shared,
    logins: Logins,
    cluster_provider: pulumi.ProviderResource,
) -> None:
    database, project = here.services[service].database, here.config.project.id
    if database is None:
        return
    version = here.config.databases[database.instance].version
    refs = ServiceDatabaseRefs(
        shared.instances[database.instance].connection_name,
        database_name(service, database),
        login_name(version, f"{login_account_id(service)}@{project}.iam.gserviceaccount.com"),
        version,
        database.writers,
        database.readers,
    )
    ServiceRights(
        f"rights-{service}",
        refs,
        service=service,
        namespace=tenant.namespace_name,
        project_id=project,
        images=JobImages.through(shared.mirror),
        after=[tenant, *logins.components],
        opts=through(cluster_provider),
    )


def _place(here: Environment, key: str) -> ServiceEnvironmentSettings | None:
    """How a service runs here; None for a tenant of the stack file."""
    if key not in here.services:
        return None
    return within(here.name, here.config.environment, {key: here.services[key]}).get(key)


def _objectives(here: Environment, key: str, tenant: Tenant, cluster_provider: pulumi.ProviderResource) -> None:
    """The objectives of a service, where alerts read them."""
    place, service = _place(here, key), here.services[key]
    settings = None if place is None else service.slo_in(place)
    if settings is None or here.config.monitoring is None:
        return
    Objectives(
        f"slo-{key}",
        settings,
        service=key,
        team=service.owner,
        cluster=here.physical_name,
        namespace=tenant.namespace_name,
        opts=through(cluster_provider),
    )


def _host(here: Environment, key: str) -> str | None:
    place = _place(here, key)
    return None if place is None else place.host


def _expose(
    here: Environment,
    service: str,
    tenant: Tenant,
    shared: Shared,
    google: pulumi.ProviderResource,
    cluster_provider: pulumi.ProviderResource,
) -> None:
    """The host of a service."""
    place = _place(here, service)
    if place is None or place.host is None or shared.gateway is None:
        return
    in_google = pulumi.ResourceOptions(parent=tenant, provider=google)
    record(f"service-{service}", place.host, shared.gateway, in_google)
    if here.config.monitoring is not None and shared.gateway.settings.internal is None:
        uptime_check(
            f"service-{service}",
            place.host,
            project=here.config.project.id,
            path=here.services[service].health_path if place.public else None,
            labels=here.labels,
            opts=in_google,
        )
    in_cluster = pulumi.ResourceOptions(parent=tenant, provider=cluster_provider)
    client = iap_client(here, shared.project_number, shared.workload_pool)
    synchronized = (
        []
        if client is None or place.public
        else synchronize(
            f"service-{service}",
            client,
            namespace=tenant.namespace_name,
            google=in_google,
            cluster=in_cluster,
        )
    )
    expose(
        f"service-{service}",
        place.host,
        shared.gateway,
        service=service,
        namespace=tenant.namespace_name,
        public=place.public,
        opts=pulumi.ResourceOptions(parent=tenant, provider=cluster_provider, depends_on=synchronized),
    )
