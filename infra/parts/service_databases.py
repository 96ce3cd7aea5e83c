"""The databases and logins of a group's services, in the instances of its environment."""

from __future__ import annotations

import pulumi

from components.database_login import login_account_id
from components.service_database import ServiceDatabase
from infra.contract import Shared
from infra.environment import Environment, through
from infra.parts.tenants import Logins
from infra.services import database_name


def make(here: Environment, shared: Shared, google: pulumi.ProviderResource) -> Logins:
    """Accounts of the logins by instance and user, and the databases."""
    accounts: dict[str, dict[str, pulumi.Output[str]]] = {}
    databases: list[pulumi.Resource] = []
    for name in here.tenants:
        settings = here.services[name].database
        if settings is None:
            continue
        login = ServiceDatabase(
            f"database-{settings.instance}-{name}",
            here.config.databases[settings.instance].users[name],
            database=database_name(name, settings),
            account_id=login_account_id(name),
            instance=shared.instances[settings.instance].name,
            version=here.config.databases[settings.instance].version,
            project_id=here.config.project.id,
            workload_pool=shared.workload_pool,
            others=[f"database-{other}-{name}" for other in here.config.databases if other != settings.instance],
            opts=through(google),
        )
        accounts.setdefault(settings.instance, {})[name] = login.account
        databases.append(login)
    return Logins(accounts, databases)
