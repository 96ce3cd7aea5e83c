"""The platform, one environment at a time: what `pulumi up` makes, in order."""

from infra import contract
from infra.environment import Environment
from infra.parts import databases, delivery, foundation, runtime, tenants

here = Environment.current()

base = foundation.make(here)  # the project and its APIs, audit logs, keys, the network
running = runtime.make(here, base)  # the cluster, its node pools, who reaches it, its backups
instances = databases.make(here, base, running)  # Cloud SQL
deployer = delivery.make(here, base, running)  # the registry and Jenkins, or the access that ci is given
tenants.make(here, base, running, instances, deployer)  # the teams' namespaces and secrets

contract.publish(running.cluster, instances, base.network)
