"""Declares the delivery system that the stack file chooses."""

from __future__ import annotations

import pulumi

from components.delivery import Delivery
from components.external_ci import ExternalCi
from components.registry import RegistryRefs
from components.release_signing import SigningRefs
from infra.delivery import jobs
from infra.delivery.job_files import job_files
from infra.environment import Environment, through
from infra.parts.foundation import Foundation
from infra.parts.gateway import iap_client
from infra.parts.runtime import Runtime
from infra.promotion import release_order


def create(
    here: Environment, base: Foundation, runtime: Runtime, registry: RegistryRefs, signing: SigningRefs | None
) -> Delivery | None:
    """The delivery system of this environment; None where there is no section for one."""
    config = here.config
    if config.external_ci is not None:
        return ExternalCi("external-ci", config.external_ci, registry=registry, opts=base.google_options)
    if config.jenkins is None:
        return None
    from components.jenkins.jenkins import Jenkins  # the largest SDK module is only loaded where Jenkins runs
    from components.jenkins.job_documents import JobDefinitions

    jenkins = Jenkins(
        "jenkins",
        config.jenkins,
        project_number=base.project.number,
        workload_pool=runtime.cluster.workload_pool,
        registry=registry,
        source=here.source,
        jobs=JobDefinitions(job_files(), jobs.offered(here, config.jenkins)),
        signing=signing,
        proxies=config.network.proxies,
        iap_client=iap_client(here, base.project.number, runtime.cluster.workload_pool)
        if config.jenkins_behind_proxy
        else None,
        environments=[name for name in release_order(here.others) if name in config.jenkins.deploys],
        opts=through(base.google, runtime.cluster_provider),
    )
    pulumi.export("jenkins", jenkins.url)
    return jenkins
