"""The teams' namespaces and their secrets."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.database import Database
from components.secrets import AGENT, Secrets
from components.tenant import Tenant
from infra.environment import Environment, through
from infra.parts.foundation import Foundation
from infra.parts.runtime import Runtime


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
        Tenant(
            f"tenant-{key}",
            settings,
            physical_name=key,
            logins={account: databases[name].accounts[user] for account, (name, user) in config.logins(key).items()},
            deployer=deployer,
            database_range=config.network.nodes,
            protect=here.guarded,
            opts=through(runtime.inside),
        )
        Secrets(
            f"secrets-{key}",
            settings.secrets,
            store=config.secrets,
            namespace=key,
            project_number=base.project.number,
            workload_pool=runtime.cluster.workload_pool,
            key_in=lambda place: base.keys.key("secrets", place),
            agent=base.agents.members.get(AGENT),
            protect=here.guarded,
            labels=here.labels,
            opts=base.cloud,
        )
