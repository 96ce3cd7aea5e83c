"""The platform, one environment at a time: what `pulumi up` makes, in order."""

import pulumi

from infra import contract
from infra.environment import Environment
from infra.parts import databases, delivery, foundation, runtime, tenants
from infra.replacements import create_first

pulumi.runtime.register_stack_transformation(create_first)
here = Environment.current()

base = foundation.make(here)  # the project and its APIs, audit logs, keys, the network
running = runtime.make(here, base)  # the cluster, its node pools, who reaches it, its backups
instances = databases.make(here, base, running)  # Cloud SQL
deployer = delivery.make(here, base, running)  # the registry and Jenkins, or the access that ci is given
tenants.make(here, base, running, instances, deployer)  # the teams' namespaces and secrets

contract.publish(running.cluster, instances, base.network)
