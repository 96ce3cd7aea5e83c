"""The networks that stack files name and that somebody else owns, simulated in the project of their owner.

They belong to no stack: a destroy leaves them, as it does in the real cloud.
"""

from __future__ import annotations

from typing import Any

from atwork.errors import ConfigError
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.home import Home
from components.type_tokens import NETWORK, SUBNETWORK
from infra.config import read_all
from infra.stack import StackConfig


def create_all(home: Home) -> None:
    """Create the missing networks and subnets of all environments."""
    try:
        environments = read_all(home.project.stacks)
    except ConfigError:
        return  # the program reports the error and creates nothing
    cloud = Cloud(home.cloud)
    with cloud.transaction():
        for config in environments.values():
            create(cloud, config)


def create(cloud: Cloud, config: StackConfig) -> None:
    """Create the network of an environment as its stack file describes it; an existing one is not changed."""
    existing, project = config.network.existing, config.project.id
    if existing is None:
        return
    owner = existing.owner(project)
    network = existing.network_id(project)
    ranges = {existing.pods_range: config.network.pods, **config.network.extra_pods}
    subnetwork = {
        "name": existing.subnetwork,
        "network": network,
        "region": config.region,
        "ipCidrRange": config.network.nodes,
        "secondaryIpRanges": [{"rangeName": name, "ipCidrRange": block} for name, block in ranges.items()],
        "privateIpGoogleAccess": True,
    }
    _create(cloud, NETWORK, network, {"name": existing.network, "autoCreateSubnetworks": False}, owner, set())
    _create(cloud, SUBNETWORK, existing.subnetwork_id(project, config.region), subnetwork, owner, {network})


def _create(cloud: Cloud, token: str, name: str, inputs: dict[str, Any], project: str, references: set[str]) -> None:
    if not cloud.exists("", name):
        inputs = {**inputs, "project": project}
        cloud.create(CloudObject("", token, name, "", inputs, {**inputs, "id": name}), references)
