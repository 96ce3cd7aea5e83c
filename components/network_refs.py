"""What other components need to stand in a network, whoever owns it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp


@dataclass(frozen=True)
class NetworkRefs:
    """A network with one subnet, created by the environment or by somebody else."""

    network_id: pulumi.Output[str]
    """`projects/PROJECT/global/networks/NAME`."""
    subnetwork_id: pulumi.Output[str]
    """`projects/PROJECT/regions/REGION/subnetworks/NAME`."""
    pods_range_name: str
    extra_pods_range_names: tuple[str, ...]
    nat_addresses: pulumi.Output[list[str]]
    """Reserved addresses of Cloud NAT; empty where Google or the network's owner chooses them."""
    owner: str | None = None
    """The project of the network, where it is not the environment's own."""
    database_access: Sequence[pulumi.Resource] = ()
    """What must exist before a database gets its private endpoint."""
    redis_access: Sequence[pulumi.Resource] = ()
    """What must exist before a Redis gets its private endpoints."""
    proxies: Sequence[pulumi.Resource] = ()
    """What must exist before an internal Gateway gets its load balancer."""

    def ip_allocation(self) -> gcp.container.ClusterIpAllocationPolicyArgsDict:
        """A cluster's `ip_allocation_policy`. No range for services: GKE takes its own, 34.118.224.0/20."""
        policy: gcp.container.ClusterIpAllocationPolicyArgsDict = {
            "cluster_secondary_range_name": self.pods_range_name,
            "stack_type": "IPV4",
        }
        if self.extra_pods_range_names:
            policy["additional_pod_ranges_config"] = {"pod_range_names": list(self.extra_pods_range_names)}
        return policy
