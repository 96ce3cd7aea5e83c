"""What everything else stands on: the project and its APIs, who is watched, the keys, the network."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.audit_logs import AuditLogs
from components.encryption import Encryption
from components.existing_network import existing_network
from components.log_storage import LogStorage
from components.network import Network
from components.network_refs import NetworkRefs
from components.project import Project
from components.service_agents import ServiceAgents
from infra import providers
from infra.environment import Environment, through


@dataclass(frozen=True)
class Foundation:
    """`google_options` are the options of everything in the project, with the provider `google`."""

    project: Project
    agents: ServiceAgents
    keys: Encryption
    network: NetworkRefs
    google_options: pulumi.ResourceOptions
    google: pulumi.ProviderResource


def make(here: Environment) -> Foundation:
    """The project is adopted or created through a provider of its own, the rest through one that waits for it."""
    config = here.config
    bootstrap = providers.google_bootstrap(config.project.id)
    project = Project("project", config.project, services=config.services(), opts=through(bootstrap))
    google = providers.google(config.project.id, config.region, here.labels, after=[project])
    cloud = through(google)
    AuditLogs("audit", config.audit_logs, project_id=project.id, opts=cloud)
    LogStorage("logs", config.logs, project=config.project.id, region=config.region, protect=here.guarded, opts=cloud)
    network = _network(here, cloud)
    agents = ServiceAgents(
        "agents", config.agents(), project_number=project.number, network_id=network.network_id, opts=cloud
    )
    keys = Encryption(
        "keys",
        config.encryption,
        places=config.encrypted_places(),
        agents=agents.members,
        protect=config.protected_keys(),
        opts=cloud,
    )
    return Foundation(project, agents, keys, network, cloud, google)


def _network(here: Environment, cloud: pulumi.ResourceOptions) -> NetworkRefs:
    """The network of the environment: its own, or one that exists."""
    config = here.config
    if (existing := config.network.existing) is not None:
        return existing_network(
            existing, project=config.project.id, region=config.region, extra_ranges=config.network.extra_pods
        )
    network = Network(
        "network",
        config.network,
        region=config.region,
        physical_name=here.physical_name,
        protect_addresses=here.guarded,
        opts=cloud,
    )
    return network.refs
