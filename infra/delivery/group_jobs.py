"""The jobs of a group's services, in the stack of the group where the delivery system is."""

from __future__ import annotations

import pulumi

from infra.delivery import jobs
from infra.delivery.job_files import job_files
from infra.environment import Environment, through


def make(here: Environment, cluster_provider: pulumi.ProviderResource) -> None:
    """Declare the jobs; nothing in an environment without Jenkins, and nothing for services without jobs."""
    config, group = here.config, here.group
    if config.jenkins is None or config.registry is None or group is None:
        return
    offered = jobs.offered(here, config.jenkins)
    if not offered:
        return
    from components.jenkins.group_jobs import GroupJobs  # only loaded where Jenkins runs
    from components.jenkins.job_documents import JobDefinitions
    from components.jenkins.registry import mirror

    GroupJobs(
        f"jenkins-{group}",
        config.jenkins,
        group=group,
        mirror=mirror(config.registry.location, config.project.id),
        jobs=JobDefinitions(job_files(), offered),
        opts=through(cluster_provider),
    )
