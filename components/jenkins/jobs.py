"""The folder `platform`: one job for each service and environment that it may be deployed to, as Job DSL.

What is deployed where is written here and not asked of whoever starts the job: a caller chooses the version alone. The
folder and what is in it are defined by this text at every start of Jenkins; only administrators could change them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from components.jenkins import names

FOLDER = "platform"
SERVICES = "services"
"""Folder of the services' own jobs, one for each repository with a Jenkinsfile."""


@dataclass(frozen=True)
class DeployJob:
    """One service in one environment; the arguments of `deployService` in delivery/vars."""

    service: str
    environment: str
    project: str
    location: str
    cluster: str
    channel: str
    repository: str
    """Git repository whose builds may ask for a deploy."""
    host: str = ""
    approvers: str = ""
    """People separated by commas; empty where nobody is asked."""

    @property
    def path(self) -> str:
        """Full name of the job."""
        return f"{FOLDER}/{self.service}/{self.environment}"

    @property
    def source(self) -> str:
        """Full name of the job that builds the service."""
        return f"{SERVICES}/{self.repository.rstrip('/').rpartition('/')[2].removesuffix('.git')}"

    def arguments(self) -> dict[str, str]:
        """What the library is called with."""
        given = {one.name: str(getattr(self, one.name)) for one in fields(self) if one.name != "repository"}
        return {**given, "source": self.source}


def platform(clouds: Iterable[str], jobs: Iterable[DeployJob]) -> str:
    """The folder, the only one whose jobs may use the deploy clouds, and the jobs in it."""
    permitted = "\n".join(f"    clouds.appendNode('string', {quoted(names.deploy_cloud(key))})" for key in clouds)
    configure = f"""\
  configure {{ folder ->
    def permission = folder / 'properties' / 'org.csanchez.jenkins.plugins.kubernetes.KubernetesFolderProperty'
    def clouds = permission.appendNode('permittedClouds')
{permitted}
  }}
"""
    folder = f"""\
folder('{FOLDER}') {{
  displayName('Platform')
  description('Jobs of the platform team: the only ones that may deploy')
{configure if permitted else ""}}}
"""
    listed = list(jobs)
    services = sorted({job.service for job in listed})
    folders = [f"folder({quoted(f'{FOLDER}/{service}')})\n" for service in services]
    return "".join([folder, *folders, *map(_job, listed)])


def _job(job: DeployJob) -> str:
    arguments = ", ".join(f"{key}: {quoted(value)}" for key, value in job.arguments().items())
    script = f"@Library('platform') _\ndeployService({arguments})\n"
    return f"""\
pipelineJob({quoted(job.path)}) {{
  description({quoted(f"Deploys {job.service} to {job.environment}; builds of {job.source} ask for it")})
  logRotator {{ numToKeep(100) }}
  parameters {{
    stringParam('VERSION', '', 'A version that a build released, such as 1.4.0-17.g1a2b3c4d')
    stringParam('THREAD', '', 'Slack thread to go on in')
  }}
  definition {{
    cps {{
      script({quoted(script)})
      sandbox(true)
    }}
  }}
}}
"""


def quoted(text: str) -> str:
    """A Groovy string that means the text, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"
