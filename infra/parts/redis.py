"""The Redis instances of the tenants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.redis import Redis
from infra.contract import Shared
from infra.environment import Environment, through


def make(
    here: Environment,
    tenant: str,
    shared: Shared,
    logins: Mapping[str, pulumi.Output[str]],
    *,
    access: Sequence[pulumi.Resource],
    google: pulumi.ProviderResource,
) -> Redis | None:
    """The Redis of a tenant, for its accounts; those with a login in a database act as the same Google account."""
    settings = here.tenants[tenant]
    if settings.redis is None:
        return None
    return Redis(
        f"redis-{tenant}",
        settings.redis,
        namespace=tenant,
        accounts={account: logins.get(account) for account in settings.accounts},
        region=here.config.region,
        project_id=here.config.project.id,
        workload_pool=shared.workload_pool,
        network_id=here.network_id,
        access=access,
        protect=here.guarded and settings.deletion_protection,
        opts=through(google),
    )
