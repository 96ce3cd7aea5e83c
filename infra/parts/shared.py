"""What an environment offers to its services, from the resources of its own stack."""

from __future__ import annotations

from collections.abc import Mapping

from components.database import Database
from components.gateway.hosts import GatewayRefs
from components.secrets import AGENT
from infra.contract import Instance, Shared
from infra.environment import Environment
from infra.parts.delivery import Arrival
from infra.parts.foundation import Foundation
from infra.parts.runtime import Runtime


def of(
    here: Environment,
    base: Foundation,
    runtime: Runtime,
    databases: Mapping[str, Database],
    arrival: Arrival,
    gateway: GatewayRefs | None,
) -> Shared:
    """The offer of the environment that is being declared."""
    places = here.config.secrets.places()
    keys = {place: key for place in places if (key := base.keys.key("secrets", place)) is not None}
    return Shared(
        cluster=runtime.cluster.cluster_name,
        endpoint=runtime.cluster.endpoint,
        workload_pool=runtime.cluster.workload_pool,
        project_number=base.project.number,
        deployer=arrival.deployer,
        mirror=arrival.mirror,
        secrets_agent=base.agents.members[AGENT],
        secrets_keys=keys,
        instances={
            key: Instance(database.instance_name, database.connection_name) for key, database in databases.items()
        },
        gateway=gateway,
    )
