"""Rights in the host project of a Shared VPC, for Google's agents in the environment's project and for its updates.

They are the last steps: whoever bootstraps an environment often has no rights in the host project. Its owner then runs
the commands of `--dry-run`, and a repeated bootstrap finds the rights and changes nothing.

https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-shared-vpc#enabling_and_granting_roles
"""

from __future__ import annotations

from atwork.environments.bootstrap import projects
from atwork.environments.bootstrap.plan import BootstrapPlan
from atwork.environments.bootstrap.policies import Grant, Resource
from atwork.environments.bootstrap.rights import grants
from atwork.environments.bootstrap.step import Step
from components.existing_network import CLUSTER_AGENT, MACHINE_AGENT

SUBNET_ROLE = "roles/compute.networkUser"
"""Create nodes, load balancers and endpoints in one subnet."""

HOST_ROLE = "roles/container.hostServiceAgentUser"
"""Let GKE act through its agent of the host project: firewall rules and DNS of the cluster."""

_SERVICES = ("compute.googleapis.com", "container.googleapis.com")
"""APIs whose agents get the rights: an agent exists from the moment its API is enabled."""


def steps(plan: BootstrapPlan) -> tuple[Step, ...]:
    """The steps of an environment in a Shared VPC; none for others."""
    host = plan.host_project
    if not host:
        return ()
    project = plan.config.project.id
    return (
        projects.enable("network-services", project, _SERVICES),
        grants("network-rights", f"rights in the network of {host}", project, rights(plan)),
    )


def rights(plan: BootstrapPlan, number: str = "{number}") -> dict[Resource, list[Grant]]:
    """Bindings in the host project; `number` is that of the environment's project."""
    host, existing = plan.host_project, plan.config.network.existing
    if not host or existing is None:
        return {}
    cluster, machines = (
        f"serviceAccount:{agent.replace('{number}', number)}" for agent in (CLUSTER_AGENT, MACHINE_AGENT)
    )
    users = (cluster, machines, plan.member(plan.deploy_account))
    return {
        Resource.subnetwork(host, plan.config.region, existing.subnetwork): [
            Grant(SUBNET_ROLE, user) for user in users
        ],
        Resource.project(host): [Grant(HOST_ROLE, cluster)],
    }
