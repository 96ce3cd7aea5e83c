"""The container registry: where candidates, released images, charts and build caches live.

Owns: the Artifact Registry repositories, what is cleaned up in them, who reads and who writes.
Does not own: images, and the readers' accounts.

Container Registry was shut down in March 2025. Names such as eu.gcr.io/PROJECT/app go on working because a
repository whose id is that host answers for it; such an id lives in one multi-region alone.

All repositories share one guard: the engine's `protect` fails a preview before anything is deleted, the provider's
`deletion_policy` also refuses a destroy that skips the preview.

Traps: immutable tags cannot be stated false (the server forgets it and the difference never settles), so the block
is left out where tags may move. Clean-up starts as a dry run where `cleanup_dry_run` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import pulumi
import pulumi_gcp as gcp
from pydantic import Field

from components.settings import Settings, duration

GCR_LOCATIONS = {"gcr.io": "us", "us.gcr.io": "us", "eu.gcr.io": "europe", "asia.gcr.io": "asia"}
"""https://cloud.google.com/artifact-registry/docs/transition/setup-gcr-repo"""

NOT_IMAGES = ("cache", "charts")
"""Repositories that no node pulls from: builds and deploys read them by grants of their own."""

SERVICES = ("containerscanning.googleapis.com",)
"""APIs that this component calls beside those of every environment: vulnerabilities of pushed images."""


class RegistrySettings(Settings):
    """Where the repositories are and how long things stay in them."""

    location: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+[0-9]+)?$", examples=["europe"])]
    """Region or multi-region of the repositories."""

    gcr_host: Literal["gcr.io", "us.gcr.io", "eu.gcr.io", "asia.gcr.io"] | None = None
    """The old host name that goes on working, for images that are still called by it."""

    candidate_days: Annotated[int, Field(ge=1, le=90)] = 7
    """How long an image that was built but not released is kept."""

    keep_versions: Annotated[int, Field(ge=1, le=1000)] = 50
    """Releases of each image and chart that are kept however old they are."""

    release_days: Annotated[int, Field(ge=30, le=3650)] = 365
    """How long older releases are kept."""

    cache_days: Annotated[int, Field(ge=1, le=90)] = 14
    """How long layers of the build cache are kept."""

    cleanup_dry_run: bool = False
    """Whether clean-up only logs what it would delete."""

    deletion_protection: bool = True
    """Guard the repositories and their keys against deletion; every other environment runs their images."""


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


def locations(settings: RegistrySettings) -> tuple[str, ...]:
    """Every place that holds a repository."""
    old = (GCR_LOCATIONS[settings.gcr_host],) if settings.gcr_host is not None else ()
    return tuple(sorted({settings.location, *old}))


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
        guarded = pulumi.ResourceOptions(parent=self, protect=settings.deletion_protection)
        deletion_policy = "PREVENT" if settings.deletion_protection else "DELETE"
        made = {
            "candidates": gcp.artifactregistry.Repository(
                f"{name}-candidates",
                repository_id="candidates",
                location=settings.location,
                kms_key_name=key_in(settings.location),
                format="DOCKER",
                description="Images that were built and are not released",
                cleanup_policies=[_delete_older("old-candidates", settings.candidate_days)],
                cleanup_policy_dry_run=settings.cleanup_dry_run,
                vulnerability_scanning_config={"enablement_config": "INHERITED"},
                deletion_policy=deletion_policy,
                opts=guarded,
            ),
            "cache": gcp.artifactregistry.Repository(
                f"{name}-cache",
                repository_id="cache",
                location=settings.location,
                kms_key_name=key_in(settings.location),
                format="DOCKER",
                description="Layers that speed builds up",
                cleanup_policies=[_delete_older("old-layers", settings.cache_days)],
                cleanup_policy_dry_run=settings.cleanup_dry_run,
                vulnerability_scanning_config={"enablement_config": "DISABLED"},
                deletion_policy=deletion_policy,
                opts=guarded,
            ),
            "docker-hub": gcp.artifactregistry.Repository(
                f"{name}-docker-hub",
                repository_id="docker-hub",
                location=settings.location,
                kms_key_name=key_in(settings.location),
                format="DOCKER",
                mode="REMOTE_REPOSITORY",
                description="Docker Hub, fetched once and kept",
                remote_repository_config={"docker_repository": {"public_repository": "DOCKER_HUB"}},
                vulnerability_scanning_config={"enablement_config": "INHERITED"},
                deletion_policy=deletion_policy,
                opts=guarded,
            ),
        }
        releases = {
            "services": ("services", settings.location, "Released images of services"),
            "charts": ("charts", settings.location, "Released Helm charts"),
        }
        if settings.gcr_host is not None:
            releases["gcr"] = (settings.gcr_host, GCR_LOCATIONS[settings.gcr_host], "Images called by their old name")
        for key, (repository_id, location, description) in releases.items():
            made[key] = gcp.artifactregistry.Repository(
                f"{name}-{key}",
                repository_id=repository_id,
                location=location,
                kms_key_name=key_in(location),
                format="DOCKER",
                description=description,
                docker_config={"immutable_tags": True},
                cleanup_policies=[
                    {
                        "id": "keep-recent",
                        "action": "KEEP",
                        "most_recent_versions": {"keep_count": settings.keep_versions},
                    },
                    _delete_older("old-releases", settings.release_days),
                ],
                cleanup_policy_dry_run=settings.cleanup_dry_run,
                vulnerability_scanning_config={"enablement_config": "INHERITED"},
                deletion_policy=deletion_policy,
                opts=guarded,
            )
        for key in (key for key in made if key not in NOT_IMAGES):
            repository = made[key]
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
        self.repositories = {key: repository.name for key, repository in made.items()}
        self.refs = RegistryRefs(
            pulumi.Output.from_input(project_id),
            settings.location,
            {key: repository.repository_id for key, repository in made.items()},
            candidates="candidates",
            services="services",
            charts="charts",
            cache="cache",
            docker_hub="docker-hub",
        )
        self.register_outputs(
            {"host": self.host, "url": self.url, "old_urls": self.old_urls, "repositories": self.repositories}
        )


def _delete_older(policy_id: str, days: int) -> gcp.artifactregistry.RepositoryCleanupPolicyArgsDict:
    return {"id": policy_id, "action": "DELETE", "condition": {"older_than": duration(days)}}
