"""The teams' namespaces, their secrets, and the configuration that each service reads."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.database import Database
from components.secrets import AGENT, Secrets
from components.service import DatabaseFacts, ServiceFacts
from components.tenant import Tenant
from infra.environment import Environment, through
from infra.parts.foundation import Foundation
from infra.parts.runtime import Runtime
from infra.services import database_name


def make(
    here: Environment,
    base: Foundation,
    runtime: Runtime,
    databases: Mapping[str, Database],
    deployer: pulumi.Output[str] | None,
) -> None:
    """One namespace for each tenant; `deployer` may change what is in it."""
    config = here.config
    for key, settings in config.tenants.items():
        protect = here.guarded and settings.deletion_protection
        logins = {account: databases[name].accounts[user] for account, (name, user) in config.logins(key).items()}
        tenant = Tenant(
            f"tenant-{key}",
            settings,
            physical_name=key,
            logins=logins,
            deployer=deployer,
            database_range=config.network.nodes,
            protect=protect,
            opts=through(runtime.inside),
        )
        Secrets(
            f"secrets-{key}",
            settings.secrets,
            store=config.secrets,
            namespace=key,
            project_number=base.project.number,
            workload_pool=runtime.cluster.workload_pool,
            logins=logins,
            key_in=lambda place: base.keys.key("secrets", place),
            agent=base.agents.members.get(AGENT),
            protect=protect,
            labels=here.labels,
            opts=base.cloud,
        )
        if key in here.services:
            _tell(here, key, tenant, databases, runtime)


def _tell(here: Environment, service: str, tenant: Tenant, databases: Mapping[str, Database], runtime: Runtime) -> None:
    settings = here.services[service]
    database = None
    if settings.database is not None:
        instance = databases[settings.database.instance]
        database = DatabaseFacts(
            instance.connection_name, database_name(service, settings.database), instance.accounts[service]
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
        opts=through(runtime.inside),
    )
