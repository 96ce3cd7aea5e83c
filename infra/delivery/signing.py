"""Declares the signing of releases, with the rights of the delivery system's promote job."""

from __future__ import annotations

from components.identity import principal
from components.jenkins import names
from components.release_signing import ReleaseSigning, SigningRefs
from infra.environment import Environment
from infra.parts.foundation import Foundation
from infra.parts.runtime import Runtime


def sign(here: Environment, base: Foundation, runtime: Runtime) -> SigningRefs | None:
    """The key and the notes of releases; None where nothing is signed. Only the promote job's pods may sign."""
    config = here.config
    if config.release_signing is None:
        return None
    signer = principal(
        base.project.number,
        runtime.cluster.workload_pool,
        names.target_namespace(names.PROMOTE_CLOUD),
        names.DEPLOY_ACCOUNT,
    )
    return ReleaseSigning(
        "release-signing",
        config.release_signing,
        project_id=base.project.id,
        location=config.region,
        signer=signer,
        protect=config.registry is not None and config.registry.deletion_protection,
        opts=base.google_options,
    ).refs
