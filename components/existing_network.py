"""A network that exists and that somebody else owns: in the environment's project, or the host project of a Shared VPC.

Owns: nothing. The network, its subnet and ranges, firewall rules, NAT, private DNS and the service connection policy
of Cloud SQL are the owner's: none of them is created, changed or deleted here (docs/existing-network.md).

Traps:
- A cluster cannot move to another network: a change replaces the cluster, and is refused like every such change.
- Agents of Google in the environment's project need rights on the subnet and in the host project before the cluster is
  created. Bootstrap grants them; an update has no right in the host project.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import pulumi
from pydantic import field_validator

from components.forms import TextForm
from components.network_refs import NetworkRefs
from components.settings import ProjectId, Settings

RangeName = Annotated[
    str,
    TextForm(
        r"^[a-z][a-z0-9-]{0,61}[a-z0-9]$",
        "a name of 2 to 63 lower-case letters, digits and hyphens, a letter first",
        "pods-2",
    ),
]
"""Name of a secondary range of a subnet."""

NetworkName = Annotated[
    str,
    TextForm(
        r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$",
        "a name of at most 63 lower-case letters, digits and hyphens, a letter first, without projects/",
        "shared-vpc",
    ),
]
"""Name of a network or of a subnet."""


CLUSTER_AGENT = "service-{number}@container-engine-robot.iam.gserviceaccount.com"
"""Google's agent of GKE in a project; `{number}` is the project's."""

MACHINE_AGENT = "{number}@cloudservices.gserviceaccount.com"
"""Google's agent that creates machines in a project."""


class ExistingNetworkSettings(Settings):
    """A network that its owner prepares; the environment creates nothing in it but the cluster and endpoints."""

    project: ProjectId | None = None
    """Host project of a Shared VPC; left out, the network is in the environment's project."""

    network: NetworkName
    """Name of the network."""

    subnetwork: NetworkName
    """Name of the subnet in the region of the environment; its primary range is `nodes`."""

    pods_range: RangeName = "pods"
    """Name of the subnet's secondary range for pods, which is `pods`."""

    @field_validator("network")
    @classmethod
    def _is_not_default(cls, network: str) -> str:
        if network == "default":
            raise ValueError(
                "default is the network that Google creates with a project, open to the internet (CIS GCP 3.1); "
                "name another one, or remove existing and the environment creates its own"
            )
        return network

    def owner(self, project: str) -> str:
        """The project of the network, for an environment in a project."""
        return self.project or project

    def network_id(self, project: str) -> str:
        """Resource name of the network."""
        return f"projects/{self.owner(project)}/global/networks/{self.network}"

    def subnetwork_id(self, project: str, region: str) -> str:
        """Resource name of the subnet."""
        return f"projects/{self.owner(project)}/regions/{region}/subnetworks/{self.subnetwork}"


def existing_network(
    settings: ExistingNetworkSettings, *, project: str, region: str, extra_ranges: Iterable[str]
) -> NetworkRefs:
    """What the other components need of the network; nothing is read from the cloud."""
    return NetworkRefs(
        pulumi.Output.from_input(settings.network_id(project)),
        pulumi.Output.from_input(settings.subnetwork_id(project, region)),
        settings.pods_range,
        tuple(extra_ranges),
        pulumi.Output.from_input([]),
        owner=settings.project if settings.project != project else None,
    )
