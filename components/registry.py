"""The container registry: where candidates, released images, charts and build caches live.

Owns: the Artifact Registry repositories, what is cleaned up in them, who reads and who writes.
Does not own: images, and the readers' accounts.

Container Registry was shut down in March 2025. Names such as eu.gcr.io/PROJECT/app go on working because a
repository whose id is that host answers for it; such an id lives in one multi-region alone.

"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_gcp as gcp

from components.repositories import DOCKER_HUB, RegistrySettings, repositories

NOT_IMAGES = ("cache", "charts")
"""Repositories that no node pulls from: builds and deploys read them by grants of their own."""

SERVICES = ("containerscanning.googleapis.com",)
"""APIs that this component needs in addition to those of every environment: vulnerabilities of pushed images."""


@dataclass(frozen=True)
class RegistryRefs:
    """Where other components find the repositories; ids are known before anything is made."""

    project_id: pulumi.Output[str]
    location: str
    repositories: Mapping[str, pulumi.Output[str]]
    """The same ids by key, for what must wait until the repository is there."""
    candidates: str
    services: str
    charts: str
    cache: str
    docker_hub: str

    def grant(
        self,
        name: str,
        repository: str,
        role: Literal["reader", "writer"],
        member: pulumi.Input[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Grant a member a role on a repository."""
        gcp.artifactregistry.RepositoryIamMember(
            name,
            project=self.project_id,
            location=self.location,
            repository=self.repositories[repository],
            role=f"roles/artifactregistry.{role}",
            member=member,
            opts=opts,
        )

    def grant_builds(self, name: str, member: pulumi.Input[str], opts: pulumi.ResourceOptions) -> None:
        """Let builds push candidates and caches, and pull base images through the mirror of Docker Hub."""
        for repository in (self.candidates, self.cache):
            self.grant(f"{name}-writer-{repository}", repository, "writer", member, opts)
        self.grant(f"{name}-reader-{self.docker_hub}", self.docker_hub, "reader", member, opts)

    def grant_releases(self, name: str, member: pulumi.Input[str], opts: pulumi.ResourceOptions) -> None:
        """Let an identity push released images and charts."""
        for repository in (self.services, self.charts):
            self.grant(f"{name}-writer-{repository}", repository, "writer", member, opts)


class ContainerRegistry(pulumi.ComponentResource):
    """Five repositories, and one more that answers for an old gcr.io name."""

    host: pulumi.Output[str]
    url: pulumi.Output[str]
    old_urls: list[pulumi.Output[str]]
    """Names by which images are still called, such as eu.gcr.io/PROJECT."""
    repositories: dict[str, pulumi.Output[str]]
    refs: RegistryRefs

    def __init__(
        self,
        name: str,
        settings: RegistrySettings,
        *,
        project_id: pulumi.Input[str],
        readers: Mapping[str, pulumi.Input[str]],
        key_in: Callable[[str], pulumi.Input[str] | None],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:registry:ContainerRegistry", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        created = repositories(name, settings, key_in=key_in, parent=self)
        for key in (key for key in created if key not in NOT_IMAGES):
            repository = created[key]
            for reader, member in readers.items():
                gcp.artifactregistry.RepositoryIamMember(
                    f"{name}-{key}-reader-{reader}",
                    location=repository.location,
                    repository=repository.repository_id,
                    role="roles/artifactregistry.reader",
                    member=member,
                    opts=child,
                )
        self.host = pulumi.Output.from_input(f"{settings.location}-docker.pkg.dev")
        self.url = pulumi.Output.format("{0}/{1}", self.host, project_id)
        self.old_urls = [pulumi.Output.concat(settings.gcr_host, "/", project_id)] if settings.gcr_host else []
        self.repositories = {key: repository.name for key, repository in created.items()}
        self.refs = RegistryRefs(
            pulumi.Output.from_input(project_id),
            settings.location,
            {key: repository.repository_id for key, repository in created.items()},
            candidates="candidates",
            services="services",
            charts="charts",
            cache="cache",
            docker_hub=DOCKER_HUB,
        )
        self.register_outputs(
            {"host": self.host, "url": self.url, "old_urls": self.old_urls, "repositories": self.repositories}
        )
