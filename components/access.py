"""What an environment grants to its upstream, on its own side: images to pull, and one account that deploys.

Owns: the reading rights of this environment's nodes on ci's registry and what streaming its images needs, the
deployer account, who may act as it, and the little it may do in Google Cloud; the same for an account that deploys
builds of pull requests to preview namespaces.
Does not own: what the deployer may do inside the cluster (RBAC of the namespaces that it deploys to).

Traps: a workload principal of another project cannot be named in Kubernetes RBAC, an account's e-mail can; hence
an account without keys, which ci's deploy pods act as.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components.node_account import STREAMING_ROLE

PULLED_REPOSITORIES = ("services", "docker-hub")
"""What nodes outside ci pull: released images and the mirror of Docker Hub, never a candidate."""

RELEASED = "services"
"""The repository whose images run outside ci. What else may run is named image by image."""

CANDIDATES = "candidates"
"""What builds of pull requests leave: images and, for preview namespaces, charts. Nothing there was reviewed."""

CHARTS = "charts"
"""Where the deployer takes charts from. Its pods in ci act as it, so that their own rights there do not count."""


@dataclass(frozen=True)
class AccessRefs:
    """What the rights in this environment and on the registry are granted on, and to which nodes."""

    project_id: pulumi.Input[str]
    registry_project: pulumi.Input[str]
    registry_location: pulumi.Input[str]
    node_account: pulumi.Input[str]
    connect_role: pulumi.Input[str]

    def pull(self, name: str, repository: str, opts: pulumi.ResourceOptions) -> None:
        """Let the nodes pull from a repository of the registry."""
        self.read(f"{name}-pull-{repository}", repository, self.nodes, opts)

    def read(self, name: str, repository: str, member: pulumi.Input[str], opts: pulumi.ResourceOptions) -> None:
        """Let a member pull from a repository of the registry."""
        gcp.artifactregistry.RepositoryIamMember(
            name,
            project=self.registry_project,
            location=self.registry_location,
            repository=repository,
            role="roles/artifactregistry.reader",
            member=member,
            opts=opts,
        )

    @property
    def nodes(self) -> pulumi.Output[str]:
        """The nodes as an IAM member."""
        return pulumi.Output.format("serviceAccount:{0}", self.node_account)


class PlatformAccess(pulumi.ComponentResource):
    """The rights of ci in this environment, and of this environment's nodes on ci's registry."""

    deployer: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        refs: AccessRefs,
        deployer_principal: pulumi.Input[str],
        image_streaming: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:access:PlatformAccess", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        for repository in PULLED_REPOSITORIES:
            refs.pull(name, repository, child)
        if image_streaming:
            # Bootstrap lets this environment's deployer grant this one role there.
            gcp.projects.IAMMember(
                f"{name}-stream-images",
                project=refs.registry_project,
                role=STREAMING_ROLE,
                member=refs.nodes,
                opts=child,
            )
        self.deployer = _account(
            name,
            "deployer",
            description="Deploys services for the environment that builds",
            refs=refs,
            principal=deployer_principal,
            charts=CHARTS,
            opts=child,
        )
        self.register_outputs({"deployer": self.deployer})


class PreviewAccess(pulumi.ComponentResource):
    """The account that deploys builds of pull requests, and the nodes' right to pull what was never released."""

    deployer: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        refs: AccessRefs,
        deployer_principal: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:access:PreviewAccess", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        refs.pull(name, CANDIDATES, child)
        self.deployer = _account(
            name,
            "preview-namespaces",
            description="Deploys builds of pull requests for the environment that builds",
            refs=refs,
            principal=deployer_principal,
            charts=CANDIDATES,
            opts=child,
        )
        self.register_outputs({"deployer": self.deployer})


def _account(
    name: str,
    role: str,
    *,
    description: str,
    refs: AccessRefs,
    principal: pulumi.Input[str],
    charts: str,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """An account that one principal of ci acts as, that finds the cluster and reads one repository of charts."""
    account = gcp.serviceaccount.Account(
        f"{name}-{role}", account_id=f"platform-{role}", display_name=description, opts=opts
    )
    gcp.serviceaccount.IAMMember(
        f"{name}-{role}-impersonation",
        service_account_id=account.name,
        role="roles/iam.workloadIdentityUser",
        member=principal,
        opts=opts,
    )
    gcp.projects.IAMMember(
        f"{name}-{role}-connect", project=refs.project_id, role=refs.connect_role, member=account.member, opts=opts
    )
    refs.read(f"{name}-{role}-charts", charts, account.member, opts)
    return account.email
