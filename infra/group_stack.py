"""The stack of a group of services in one environment: it reads what the environment offers, and declares the rest.

Its services get the same components under the same names as in the environment's own stack.
"""

from __future__ import annotations

from infra import providers
from infra.contract import Shared
from infra.delivery import group_jobs
from infra.environment import Environment
from infra.parts import service_databases, tenants


def declare(here: Environment) -> None:
    """Declare the group's services in order."""
    config = here.config
    offered = Shared.of(here.name, config)
    google = providers.google(config.project.id, config.region, here.labels, after=[])
    cluster_provider = providers.cluster(offered.cluster, offered.endpoint, after=[])
    logins = service_databases.make(here, offered, google)
    tenants.make(here, offered, logins, google=google, cluster_provider=cluster_provider)
    group_jobs.make(here, cluster_provider)
