"""The Artifact Registry repositories: what each holds, where, and what is cleaned up in it.

All repositories share one guard: the engine's `protect` fails a preview before anything is deleted, the provider's
`deletion_policy` also refuses a destroy that skips the preview.

Traps: immutable tags cannot be stated false (the server forgets it and the difference never settles), so the block
is left out where tags may move. Clean-up starts as a dry run where `cleanup_dry_run` says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import pulumi
from pulumi_gcp.artifactregistry import Repository
from pulumi_gcp.artifactregistry import RepositoryCleanupPolicyArgsDict as CleanupPolicy
from pydantic import AfterValidator, Field

from components.forms import TextForm
from components.google.locations import registry_location
from components.settings import Settings, duration

GCR_LOCATIONS = {"gcr.io": "us", "us.gcr.io": "us", "eu.gcr.io": "europe", "asia.gcr.io": "asia"}
"""https://cloud.google.com/artifact-registry/docs/transition/setup-gcr-repo"""


class RegistrySettings(Settings):
    """Where the repositories are and how long things stay in them."""

    location: Annotated[
        str,
        TextForm(r"^[a-z]+(-[a-z]+[0-9]+)?$", "a multi-region or a region", "europe"),
        AfterValidator(registry_location),
    ]
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


DOCKER_HUB = "docker-hub"
"""Id of the repository that mirrors Docker Hub."""


def locations(settings: RegistrySettings) -> tuple[str, ...]:
    """Every place that holds a repository."""
    old = (GCR_LOCATIONS[settings.gcr_host],) if settings.gcr_host is not None else ()
    return tuple(sorted({settings.location, *old}))


def repositories(
    name: str,
    settings: RegistrySettings,
    *,
    key_in: Callable[[str], pulumi.Input[str] | None],
    parent: pulumi.Resource,
) -> dict[str, Repository]:
    """Create the five repositories, and the one of an old gcr.io name where there is one."""
    opts = pulumi.ResourceOptions(parent=parent, protect=settings.deletion_protection)

    def create(key: str, description: str, kind: dict[str, Any], *, place: str = settings.location) -> Repository:
        more: dict[str, Any] = {
            "repository_id": key,
            "vulnerability_scanning_config": {"enablement_config": "INHERITED"},
            **kind,
        }
        return Repository(
            f"{name}-{key}",
            **more,
            location=place,
            kms_key_name=key_in(place),
            format="DOCKER",
            description=description,
            deletion_policy="PREVENT" if settings.deletion_protection else "DELETE",
            opts=opts,
        )

    def cleaned(*policies: CleanupPolicy) -> dict[str, Any]:
        return {"cleanup_policies": list(policies), "cleanup_policy_dry_run": settings.cleanup_dry_run}

    releases: dict[str, Any] = {
        "docker_config": {"immutable_tags": True},
        **cleaned(
            {"id": "keep-recent", "action": "KEEP", "most_recent_versions": {"keep_count": settings.keep_versions}},
            _delete_older("old-releases", settings.release_days),
        ),
    }
    candidates = cleaned(_delete_older("old-candidates", settings.candidate_days))
    cache = {
        **cleaned(_delete_older("old-layers", settings.cache_days)),
        "vulnerability_scanning_config": {"enablement_config": "DISABLED"},
    }
    docker_hub = {
        "mode": "REMOTE_REPOSITORY",
        "remote_repository_config": {"docker_repository": {"public_repository": "DOCKER_HUB"}},
    }
    created = {
        "candidates": create("candidates", "Images that were built and are not released", candidates),
        "cache": create("cache", "Layers that speed builds up", cache),
        DOCKER_HUB: create(DOCKER_HUB, "Docker Hub, fetched once and kept", docker_hub),
        "services": create("services", "Released images of services", releases),
        "charts": create("charts", "Released Helm charts", releases),
    }
    if settings.gcr_host is not None:
        old_name = {**releases, "repository_id": settings.gcr_host}
        place = GCR_LOCATIONS[settings.gcr_host]
        created["gcr"] = create("gcr", "Images called by their old name", old_name, place=place)
    return created


def _delete_older(policy_id: str, days: int) -> CleanupPolicy:
    return {"id": policy_id, "action": "DELETE", "condition": {"older_than": duration(days)}}
