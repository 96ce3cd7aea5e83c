"""The platform, one environment at a time: what `pulumi up` makes, in order."""

import pulumi

from components.access import PlatformAccess
from components.cluster import GkeCluster
from components.database import Database
from components.network import Network
from components.node_pools import NodePools
from components.project import Project
from components.registry import ContainerRegistry
from infra import contract, providers
from infra.environment import Environment, through

here = Environment.current()
config, names, labels = here.config, here.physical_name, here.labels

project = Project("project", config.project, opts=through(providers.google_bootstrap(config.project.id)))
google = providers.google(config.project.id, config.region, labels, after=[project])
cloud = through(google)

network = Network("network", config.network, region=config.region, physical_name=names, opts=cloud)
cluster = GkeCluster(
    "cluster", config.cluster, physical_name=names, region=config.region, project_id=project.id,
    network=network.refs, labels=labels, opts=cloud,
)  # fmt: skip
pools = NodePools(
    "pools", config.node_pools, cluster=cluster.cluster_id, node_account=cluster.node_account, labels=labels,
    protect_pools=config.cluster.deletion_protection, opts=cloud,
)  # fmt: skip
inside = providers.cluster(cluster.cluster_name, cluster.endpoint, after=[pools])
databases = {
    key: Database(
        f"database-{key}", settings, region=config.region, project_id=project.id, network_id=network.network_id,
        network_policy=network.database_policy, workload_pool=cluster.workload_pool, labels=labels, opts=cloud,
    )
    for key, settings in config.databases.items()
}  # fmt: skip

if config.registry is not None:
    nodes = pulumi.Output.format("serviceAccount:{0}", cluster.node_account)
    registry = ContainerRegistry(
        "registry", config.registry, project_id=project.id, readers={"nodes": nodes}, opts=cloud
    )
    deployers: dict[str, pulumi.Output[str]] = {}
    if config.jenkins is not None:
        from components.jenkins import Jenkins  # the largest SDK module is only loaded where Jenkins runs

        jenkins = Jenkins(
            "jenkins", config.jenkins, project_number=project.number,
            workload_pool=cluster.workload_pool, registry=registry.refs, opts=through(google, inside),
        )  # fmt: skip
        deployers = jenkins.deployers
        pulumi.export("jenkins", jenkins.url)
    contract.Platform(project.id, registry.refs.location, registry.url, pulumi.Output.all(**deployers)).publish()
    pulumi.export("registry", registry.url)

if config.upstream is not None:
    upstream = contract.Platform.of(config.upstream)
    PlatformAccess(
        "access", project_id=project.id, registry_project=upstream.registry_project,
        registry_location=upstream.registry_location, node_account=cluster.node_account,
        deployer_principal=upstream.deployer(here.name), opts=cloud,
    )  # fmt: skip
    pulumi.export("registry", upstream.registry_url)

contract.publish(cluster, databases, network)
