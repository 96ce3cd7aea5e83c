"""A CI system outside the platform, such as GitHub Actions, that builds and deploys instead of Jenkins.

Owns: what its builds may write and read in the registry.
Does not own: its identities (a workload identity pool and its providers), approvals, and the right to deploy, which
each environment grants on its own side (components/access.py).

Traps: whoever acts as a builder writes what production runs. Bind a principal to reviewed workflows of known
repositories and never to an organization's every repository and branch.
https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines
"""

from __future__ import annotations

from typing import Annotated

import pulumi
from pydantic import Field

from components.delivery import DeployRules, deployer_key, preview_key
from components.registry import RegistryRefs
from components.settings import DnsLabel, Settings

Member = Annotated[
    str,
    Field(
        pattern=r"^(principal(Set)?://iam\.googleapis\.com/|serviceAccount:)[^\s]+$",
        examples=[
            "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/group/orders"
        ],
    ),
]
"""An IAM member: a principal of a workload identity pool, or a service account."""


class ExternalCiDeploySettings(Settings):
    """Who deploys to one environment."""

    releases: Member
    """Deploys releases: workflows of the main branch alone."""

    preview_namespaces: Member | None = None
    """Deploys builds of pull requests to preview namespaces; left out where the environment has none."""


class ExternalCiSettings(Settings):
    """Identities of a CI system that exists already."""

    builders: Annotated[dict[DnsLabel, Member], Field(min_length=1)]
    """Who pushes images and charts, by a name of your choice."""

    deploys: dict[DnsLabel, ExternalCiDeploySettings] = Field(default_factory=dict)
    """Environments that are deployed to, by the name of their stack."""

    def deploy_targets(self) -> dict[str, DeployRules]:
        """The environments that it deploys to, by the name of their stack; it asks for approval by itself."""
        return {key: DeployRules(None, deploy.preview_namespaces is not None) for key, deploy in self.deploys.items()}


class ExternalCi(pulumi.ComponentResource):
    """The grants of builders on the registry, and the identities that environments let in."""

    identities: dict[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: ExternalCiSettings,
        *,
        registry: RegistryRefs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:external_ci:ExternalCi", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        for builder, member in settings.builders.items():
            registry.grant_builds(f"{name}-{builder}", member, child)
        members = {deployer_key(key): deploy.releases for key, deploy in settings.deploys.items()}
        members |= {
            preview_key(key): deploy.preview_namespaces
            for key, deploy in settings.deploys.items()
            if deploy.preview_namespaces
        }
        self.identities = {key: pulumi.Output.from_input(member) for key, member in members.items()}
        self.register_outputs({"identities": self.identities})
