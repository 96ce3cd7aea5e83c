"""What an environment grants to the ci environment, on its own side: images to pull, and one account that deploys.

Owns: the reading rights of this environment's nodes on ci's registry, the deployer account, who may act as it,
and the little it may do in Google Cloud.
Does not own: what the deployer may do inside the cluster (RBAC of the namespaces that it deploys to).

Traps: a workload principal of another project cannot be named in Kubernetes RBAC, an account's e-mail can; hence
an account without keys, which ci's deploy pods act as.
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

PULLED_REPOSITORIES = ("services", "docker-hub")
"""What nodes outside ci pull: released images and the mirror of Docker Hub, never a candidate."""

CHARTS = "charts"
"""Where the deployer takes charts from. Its pods in ci act as it, so that their own rights there do not count."""


class PlatformAccess(pulumi.ComponentResource):
    """The rights of ci in this environment, and of this environment's nodes on ci's registry."""

    deployer: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        project_id: pulumi.Input[str],
        registry_project: pulumi.Input[str],
        registry_location: pulumi.Input[str],
        node_account: pulumi.Input[str],
        connect_role: pulumi.Input[str],
        deployer_principal: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:access:PlatformAccess", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        for repository in PULLED_REPOSITORIES:
            gcp.artifactregistry.RepositoryIamMember(
                f"{name}-pull-{repository}",
                project=registry_project,
                location=registry_location,
                repository=repository,
                role="roles/artifactregistry.reader",
                member=pulumi.Output.format("serviceAccount:{0}", node_account),
                opts=child,
            )
        account = gcp.serviceaccount.Account(
            f"{name}-deployer",
            account_id="platform-deployer",
            display_name="Deploys services for the ci environment",
            opts=child,
        )
        gcp.serviceaccount.IAMMember(
            f"{name}-deployer-impersonation",
            service_account_id=account.name,
            role="roles/iam.workloadIdentityUser",
            member=deployer_principal,
            opts=child,
        )
        gcp.projects.IAMMember(
            f"{name}-deployer-connect", project=project_id, role=connect_role, member=account.member, opts=child
        )
        gcp.artifactregistry.RepositoryIamMember(
            f"{name}-deployer-charts",
            project=registry_project,
            location=registry_location,
            repository=CHARTS,
            role="roles/artifactregistry.reader",
            member=account.member,
            opts=child,
        )
        self.deployer = account.email
        self.register_outputs({"deployer": self.deployer})
