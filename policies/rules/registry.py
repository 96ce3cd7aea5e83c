"""Rules for the container registry."""

from __future__ import annotations

from collections.abc import Iterator

from components.type_tokens import REPOSITORY
from policies.rule import UNKNOWN, CheckedResource, StackContext, resource_rule


@resource_rule(
    "registry-not-gcr", "gcp:container/registry:Registry", source="Container Registry was shut down in March 2025"
)
def not_gcr(registry: CheckedResource, _: StackContext) -> Iterator[str]:
    """Images are stored in Artifact Registry."""
    yield f"{registry.name}: use artifactregistry.Repository; a repository with the id gcr.io serves the old names"


@resource_rule("registry-cleaned", REPOSITORY, source="Artifact Registry documentation, cleanup policies")
def cleaned(repository: CheckedResource, _: StackContext) -> Iterator[str]:
    """A cleanup policy deletes old versions; remote repositories, which are caches, need none."""
    if repository.get("mode") not in (UNKNOWN, "REMOTE_REPOSITORY") and repository.lacks("cleanupPolicies"):
        yield "cleanupPolicies is empty; add a policy"


@resource_rule("registry-encrypted", REPOSITORY, source="checkov CKV_GCP_84")
def encrypted(repository: CheckedResource, _: StackContext) -> Iterator[str]:
    """Images are encrypted with a customer-managed key."""
    if repository.lacks("kmsKeyName"):
        yield "kmsKeyName is missing; add registry to encryption.covers"
