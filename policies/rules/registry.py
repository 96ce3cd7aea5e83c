"""Rules on the container registry."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import UNKNOWN, Environment, Resource, on

_REPOSITORY = "gcp:artifactregistry/repository:Repository"


@on("registry-not-gcr", "gcp:container/registry:Registry", source="Container Registry was shut down in March 2025")
def not_gcr(one: Resource, _: Environment) -> Iterator[str]:
    """Repositories are Artifact Registry's."""
    yield f"{one.name}: use artifactregistry.Repository; one called gcr.io keeps old names working"


@on("registry-cleaned", _REPOSITORY, source="Artifact Registry documentation, cleanup policies")
def cleaned(one: Resource, _: Environment) -> Iterator[str]:
    """Old versions go by a rule; what is fetched from elsewhere goes by itself."""
    if one.get("mode") not in (UNKNOWN, "REMOTE_REPOSITORY") and one.lacks("cleanupPolicies"):
        yield "cleanupPolicies is empty"


@on("registry-encrypted", _REPOSITORY, source="checkov CKV_GCP_84")
def encrypted(one: Resource, _: Environment) -> Iterator[str]:
    """Images rest under a key of our own."""
    if one.lacks("kmsKeyName"):
        yield "kmsKeyName is missing (encryption.covers: registry)"
