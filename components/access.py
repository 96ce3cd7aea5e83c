"""What an environment grants to its upstream, on its own side: images to pull, and one account that deploys.

Owns: the reading rights of this environment's nodes on ci's registry and what streaming its images needs, the
deployer account, who may act as it, and the little it may do in Google Cloud; the same for an account that deploys
builds of pull requests to preview namespaces.
Does not own: what the deployer may do inside the cluster (RBAC of the namespaces that it deploys to).

Traps: a workload principal of another project cannot be named in Kubernetes RBAC, an account's e-mail can; hence
an account without keys, which ci's deploy pods act as.
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from components.node_account import STREAMING_ROLE

PULLED_REPOSITORIES = ("services", "docker-hub")
"""What nodes outside ci pull: released images and the mirror of Docker Hub, never a candidate."""

CANDIDATES = "candidates"
"""What builds of pull requests leave: images and, for preview namespaces, charts. Nothing there was reviewed."""

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
        image_streaming: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:access:PlatformAccess", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        nodes = pulumi.Output.format("serviceAccount:{0}", node_account)
        for repository in PULLED_REPOSITORIES:
            _reader(f"{name}-pull-{repository}", (registry_project, registry_location, repository), nodes, child)
        if image_streaming:
            # Bootstrap lets this environment's deployer grant this one role there.
            gcp.projects.IAMMember(
                f"{name}-stream-images", project=registry_project, role=STREAMING_ROLE, member=nodes, opts=child
            )
        self.deployer = _account(
            name,
            "deployer",
            description="Deploys services for the environment that builds",
            project_id=project_id,
            principal=deployer_principal,
            connect_role=connect_role,
            charts=(registry_project, registry_location, CHARTS),
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
        project_id: pulumi.Input[str],
        registry_project: pulumi.Input[str],
        registry_location: pulumi.Input[str],
        node_account: pulumi.Input[str],
        connect_role: pulumi.Input[str],
        deployer_principal: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:access:PreviewAccess", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        nodes = pulumi.Output.format("serviceAccount:{0}", node_account)
        _reader(f"{name}-pull-{CANDIDATES}", (registry_project, registry_location, CANDIDATES), nodes, child)
        self.deployer = _account(
            name,
            "preview-namespaces",
            description="Deploys builds of pull requests for the environment that builds",
            project_id=project_id,
            principal=deployer_principal,
            connect_role=connect_role,
            charts=(registry_project, registry_location, CANDIDATES),
            opts=child,
        )
        self.register_outputs({"deployer": self.deployer})


def _account(
    name: str,
    role: str,
    *,
    description: str,
    project_id: pulumi.Input[str],
    principal: pulumi.Input[str],
    connect_role: pulumi.Input[str],
    charts: tuple[pulumi.Input[str], pulumi.Input[str], str],
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
        f"{name}-{role}-connect", project=project_id, role=connect_role, member=account.member, opts=opts
    )
    _reader(f"{name}-{role}-charts", charts, account.member, opts)
    return account.email


def _reader(
    name: str,
    where: tuple[pulumi.Input[str], pulumi.Input[str], str],
    member: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """The right to pull from one repository of another project: project, location, name."""
    project, location, repository = where
    gcp.artifactregistry.RepositoryIamMember(
        name,
        project=project,
        location=location,
        repository=repository,
        role="roles/artifactregistry.reader",
        member=member,
        opts=opts,
    )
