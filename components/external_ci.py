"""A CI system outside the platform, such as GitHub Actions, that builds and deploys instead of Jenkins.

Owns: the rights of its builds on the registry.
Does not own: its identities (a workload identity pool and its providers), approvals, and the right to deploy, which
each environment grants on its own side (components/access.py).

Traps: a builder writes the images that production runs. Name a principal of reviewed workflows in known repositories,
never a principal of all repositories or branches of an organization (docs/external-ci.md).
https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines
"""

from __future__ import annotations

from typing import Annotated

import pulumi
from pydantic import Field

from components.delivery import DeployRules, deployer_key, preview_key
from components.forms import TextForm
from components.registry import RegistryRefs
from components.settings import DnsLabel, Settings

Member = Annotated[
    str,
    TextForm(
        r"^(principal(Set)?://iam\.googleapis\.com/|serviceAccount:)[^\s]+$",
        "an IAM member, which begins with principal://iam.googleapis.com/, principalSet://iam.googleapis.com/ or "
        "serviceAccount:",
        "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/group/orders",
    ),
]
"""An IAM member: a principal of a workload identity pool, or a service account."""


class ExternalCiDeploySettings(Settings):
    """Identities that deploy to an environment."""

    releases: Member
    """Deploys releases: only workflows of the main branch."""

    preview_namespaces: Member | None = None
    """Deploys builds of pull requests to preview namespaces; only for an environment that has some."""


class ExternalCiSettings(Settings):
    """Identities of a CI system that exists already."""

    builders: Annotated[dict[DnsLabel, Member], Field(min_length=1)]
    """Identities that push images and charts, by a name of your choice."""

    deploys: dict[DnsLabel, ExternalCiDeploySettings] = Field(default_factory=dict)
    """Environments that it deploys to, by the name of their stack."""

    def deploy_targets(self) -> dict[str, DeployRules]:
        """The environments that it deploys to, by the name of their stack; it asks for approval by itself."""
        return {key: DeployRules(None, deploy.preview_namespaces is not None) for key, deploy in self.deploys.items()}

    def identities(self) -> dict[str, str]:
        """The IAM members that deploy, by `deployer_key` and `preview_key`."""
        members = {deployer_key(key): deploy.releases for key, deploy in self.deploys.items()}
        return members | {
            preview_key(key): deploy.preview_namespaces
            for key, deploy in self.deploys.items()
            if deploy.preview_namespaces
        }


class ExternalCi(pulumi.ComponentResource):
    """The rights of builders on the registry, and the identities that deploy to each environment."""

    identities: dict[str, pulumi.Output[str]]
    preview_images: pulumi.Output[list[str]]

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
            registry.grant_releases(f"{name}-{builder}", member, child)
        self.identities = {key: pulumi.Output.from_input(member) for key, member in settings.identities().items()}
        # The platform does not know what it starts; `binary_authorization.also_allowed` of an environment names it.
        self.preview_images = pulumi.Output.from_input([])
        self.register_outputs({"identities": self.identities, "preview_images": self.preview_images})
