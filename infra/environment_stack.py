"""The stack of an environment: what all its services share, and the services without a stack of their own."""

from __future__ import annotations

from infra import contract
from infra.environment import Environment
from infra.parts import alerts, databases, delivery, foundation, gateway, runtime, shared, tenants


def declare(here: Environment) -> None:
    """Declare the environment in order."""
    base = foundation.make(here)  # the project and its APIs, audit logs, keys, the network
    running = runtime.make(here, base)  # the cluster, its node pools, who reaches it, its backups
    instances = databases.make(here, base, running)  # Cloud SQL
    way_in = gateway.make(here, base, running)  # the Gateway and its certificate
    arrival = delivery.make(here, base, running)  # the registry and Jenkins, or the access that ci is given
    offered = shared.of(here, base, running, instances, arrival, way_in)
    logins = tenants.Logins({key: instance.accounts for key, instance in instances.items()}, [*instances.values()])
    # The teams' namespaces, secrets, Redis and rights in databases.
    tenants.make(
        here,
        offered,
        logins,
        redis_access=base.network.redis_access,
        google=base.google,
        cluster_provider=running.cluster_provider,
    )

    alerts.make(here, base, instances)  # who is notified of what

    contract.publish(running.cluster, instances, base.network)
    offered.publish()
