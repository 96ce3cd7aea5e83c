"""The folder `platform`: jobs for each service and environment that it may be deployed to, as Job DSL.

What is deployed where is written here and not asked of whoever starts the job: a caller chooses the version alone. The
folder and what is in it are defined by this text at every start of Jenkins; only administrators could change them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from components.delivery import StoreName
from components.jenkins import names, stores
from components.jenkins.registry import Images

FOLDER = "platform"
SERVICES = "services"
"""Folder of the services' own jobs, one for each repository with a Jenkinsfile."""


@dataclass(frozen=True)
class Job:
    """A service in an environment, and who may bring it there."""

    service: str
    environment: str
    project: str
    location: str
    cluster: str
    channel: str
    repository: str
    """Git repository whose builds may start the job."""

    function: ClassVar[str]
    """What of delivery/vars it calls."""

    @property
    def name(self) -> str:
        """Last part of the job's name."""
        raise NotImplementedError

    @property
    def about(self) -> str:
        """One line for whoever looks at it."""
        raise NotImplementedError

    @property
    def path(self) -> str:
        """Full name of the job."""
        return f"{FOLDER}/{self.service}/{self.name}"

    @property
    def source(self) -> str:
        """Full name of the job that builds the service."""
        return f"{SERVICES}/{self.repository.rstrip('/').rpartition('/')[2].removesuffix('.git')}"

    def arguments(self, images: Images) -> dict[str, str]:  # noqa: ARG002 - previews name images
        """What the library is called with."""
        place = {"project": self.project, "location": self.location, "cluster": self.cluster}
        about = {"service": self.service, "environment": self.environment, **place}
        return {**about, "channel": self.channel, "source": self.source}


@dataclass(frozen=True)
class DeployJob(Job):
    """Brings a release into an environment."""

    host: str = ""
    approvers: str = ""
    """People separated by commas; empty where nobody is asked."""

    function: ClassVar[str] = "deployService"

    @property
    def name(self) -> str:
        """The environment's."""
        return self.environment

    @property
    def about(self) -> str:
        """What it does, and for whom."""
        return f"Deploys {self.service} to {self.environment}; builds of {self.source} ask for it"

    def arguments(self, images: Images) -> dict[str, str]:
        """With its host, and whom to ask."""
        return {**super().arguments(images), "host": self.host, "approvers": self.approvers}


@dataclass(frozen=True)
class PreviewJob(Job):
    """Deploys the build of a pull request to one of an environment's preview namespaces, with stores of its own."""

    namespaces: int = 1
    hours: int = 72
    stores: tuple[StoreName, ...] = ()

    function: ClassVar[str] = "previewService"

    @property
    def name(self) -> str:
        """There is one environment with preview namespaces, so that a caller need not say which."""
        return names.PREVIEW_JOB

    @property
    def about(self) -> str:
        """What it does, and for whom."""
        return f"Deploys pull requests of {self.service} to preview namespaces of {self.environment}"

    def arguments(self, images: Images) -> dict[str, str]:
        """With the stores next to the service, as values of the chart in delivery/resources/preview."""
        shared = {name: stores.shared(name, images[name]) for name in self.stores}
        return {
            **super().arguments(images),
            "namespaces": str(self.namespaces),
            "hours": str(self.hours),
            "stores": json.dumps({"stores": shared}),
        }


def platform(clouds: Iterable[str], jobs: Iterable[Job], images: Images) -> str:
    """The folder, the only one whose jobs may use these clouds, and the jobs in it."""
    folder = f"""\
folder('{FOLDER}') {{
  displayName('Platform')
  description('Jobs of the platform team: the only ones that may deploy')
{permitted(clouds)}}}
"""
    listed = list(jobs)
    services = sorted({job.service for job in listed})
    folders = [f"folder({quoted(f'{FOLDER}/{service}')})\n" for service in services]
    previews = [job for job in listed if isinstance(job, PreviewJob)]
    return "".join([folder, *folders, *(_job(job, images) for job in listed), *_janitor(previews, images)])


def permitted(clouds: Iterable[str]) -> str:
    """The part of a folder that lets its jobs use restricted clouds."""
    listed = "\n".join(f"    clouds.appendNode('string', {quoted(cloud)})" for cloud in clouds)
    if not listed:
        return ""
    return f"""\
  configure {{ folder ->
    def permission = folder / 'properties' / 'org.csanchez.jenkins.plugins.kubernetes.KubernetesFolderProperty'
    def clouds = permission.appendNode('permittedClouds')
{listed}
  }}
"""


def call(function: str, arguments: dict[str, str]) -> str:
    """A pipeline that is one call of the library."""
    given = ", ".join(f"{key}: {quoted(value)}" for key, value in arguments.items())
    return f"@Library('platform') _\n{function}({given})\n"


def _job(job: Job, images: Images) -> str:
    return f"""\
pipelineJob({quoted(job.path)}) {{
  description({quoted(job.about)})
  logRotator {{ numToKeep(100) }}
  parameters {{
    stringParam('VERSION', '', 'A version that a build made, such as 1.4.0-17.g1a2b3c4d')
    stringParam('THREAD', '', 'Slack thread to go on in')
{_pull(job)}  }}
  definition {{
    cps {{
      script({quoted(call(job.function, job.arguments(images)))})
      sandbox(true)
    }}
  }}
}}
"""


def _pull(job: Job) -> str:
    if not isinstance(job, PreviewJob):
        return ""
    return "    stringParam('PULL', '', 'Number of the pull request; a build says it by its own name')\n"


def _janitor(previews: list[PreviewJob], images: Images) -> Iterable[str]:
    """One job that looks at every preview namespace each hour."""
    if not previews:
        return
    given = previews[0].arguments(images)
    arguments = {key: given[key] for key in ("environment", "project", "location", "cluster", "namespaces", "hours")}
    repositories = {job.service: job.repository.removesuffix(".git") for job in previews}
    arguments["repositories"] = json.dumps(repositories)
    about = f"Empties preview namespaces in {previews[0].environment} with expired leases or closed pull requests"
    yield f"""\
pipelineJob({quoted(f"{FOLDER}/{names.JANITOR_JOB}")}) {{
  description({quoted(about)})
  logRotator {{ numToKeep(100) }}
{schedule("H * * * *")}  definition {{
    cps {{
      script({quoted(call("previewJanitor", arguments))})
      sandbox(true)
    }}
  }}
}}
"""


def schedule(when: str) -> str:
    """The part of a job that starts it by the clock, one run at a time."""
    return f"""\
  properties {{
    disableConcurrentBuilds()
    pipelineTriggers {{ triggers {{ cron {{ spec({quoted(when)}) }} }} }}
  }}
"""


def quoted(text: str) -> str:
    """A Groovy string that means the text, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"
