"""Who may reach a cluster's endpoint at all; what they may do inside is RBAC's to say.

Owns: the role that opens the DNS endpoint and nothing else, and the group that has it.
Does not own: accounts of other environments (components/access.py), rights inside (components/tenant.py).

Traps: `container.clusters.connect` opens the DNS endpoint; no predefined role has that and `get` alone. A deleted
custom role keeps its id for weeks, and the provider then brings it back.
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

CONNECT_PERMISSIONS = ("container.clusters.connect", "container.clusters.get")
"""Find the cluster and reach its DNS endpoint."""

CONNECT_ROLE = "clusterConnect"
"""ID of the custom role with these permissions."""


class ClusterAccess(pulumi.ComponentResource):
    """The role, and the Google Group that has it: the cluster's `admin_group`, whose members are groups."""

    connect_role: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        project_id: pulumi.Input[str],
        admin_group: str | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:cluster_access:ClusterAccess", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = gcp.projects.IAMCustomRole(
            f"{name}-connect",
            role_id=CONNECT_ROLE,
            title="Connect to GKE clusters",
            description="Find a cluster and reach its DNS endpoint, nothing else",
            permissions=list(CONNECT_PERMISSIONS),
            opts=child,
        )
        if admin_group is not None:
            # Every group with rights inside is a member of this one. A grant for each would grow with the catalog, and
            # two stacks would own the grant of a group that has rights in both.
            gcp.projects.IAMMember(
                f"{name}-{admin_group.partition('@')[0]}",
                project=project_id,
                role=role.name,
                member=f"group:{admin_group}",
                opts=child,
            )
        self.connect_role = role.name
        self.register_outputs({"connect_role": self.connect_role})
