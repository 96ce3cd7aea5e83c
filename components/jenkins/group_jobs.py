"""The jobs of a group of services, next to those that the release of Jenkins defines.

Owns: a ConfigMap that the chart's reloader finds by its label, loads without a restart, and finds again at every start.
Does not own: Jenkins and its namespace (jenkins.py), which belong to the environment's own stack.

Traps: a ConfigMap holds 1 MiB, which is enough for the jobs of about 250 services. Jenkins appends the jobs of all
scripts; what else two scripts define must not differ. A job that is gone from here stays in Jenkins until somebody
deletes it.
"""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

from components.jenkins import job_documents, names
from components.jenkins.documents import as_yaml
from components.jenkins.job_documents import JobDefinitions
from components.jenkins.registry import Images
from components.jenkins.settings import JenkinsSettings


class GroupJobs(pulumi.ComponentResource):
    """The jobs of one group of services."""

    config_map: pulumi.Output[str]
    """Name of the ConfigMap."""

    def __init__(
        self,
        name: str,
        settings: JenkinsSettings,
        *,
        group: str,
        mirror: str,
        jobs: JobDefinitions,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:group_jobs:GroupJobs", name, {}, opts)
        script = as_yaml(job_documents.group_jobs(settings, Images(mirror, settings.images), group, jobs))
        created = kubernetes.core.v1.ConfigMap(
            f"{name}-jobs",
            metadata={
                "name": f"jenkins-jobs-{group}",
                "namespace": names.CONTROLLER_NAMESPACE,
                "labels": {names.CONFIG_LABEL: "true"},
            },
            data={f"jobs-{group}.yaml": script},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.config_map = created.metadata.apply(lambda metadata: metadata.name or "")
        self.register_outputs({"config_map": self.config_map})
