"""The jobs that deploy a service to an environment; job_documents.py writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
    """A service in an environment, and the repository whose builds may deploy it there."""

    service: str
    environment: str
    project: str
    location: str
    cluster: str
    channel: str
    repository: str
    """Git repository whose builds may start the job."""

    function: ClassVar[str]
    """The function of delivery/vars that the job calls."""

    parameters: ClassVar[Mapping[str, str]] = {
        "VERSION": "A version that a build made, such as 1.4.0-17.g1a2b3c4d",
        "THREAD": "Slack thread to continue",
    }
    """What a caller chooses, with its meaning."""

    @property
    def name(self) -> str:
        """Last part of the job's name."""
        raise NotImplementedError

    @property
    def description(self) -> str:
        """The description in Jenkins, one line."""
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
        """The arguments of the library's function."""
        return {
            "service": self.service,
            "environment": self.environment,
            "project": self.project,
            "location": self.location,
            "cluster": self.cluster,
            "channel": self.channel,
            "source": self.source,
        }


@dataclass(frozen=True)
class DeployJob(Job):
    """Deploys a release to an environment."""

    host: str = ""
    approvers: str = ""
    """E-mail addresses separated by commas; empty where deploys need no approval."""

    function: ClassVar[str] = "deployService"

    @property
    def name(self) -> str:
        """The name of the environment."""
        return self.environment

    @property
    def description(self) -> str:
        """What the job does, and which builds start it."""
        return f"Deploys {self.service} to {self.environment}; builds of {self.source} start it"

    def arguments(self, images: Images) -> dict[str, str]:
        """The same with the host and the approvers."""
        return {**super().arguments(images), "host": self.host, "approvers": self.approvers}


@dataclass(frozen=True)
class PreviewJob(Job):
    """Deploys the build of a pull request to a preview namespace of an environment, with its own stores."""

    namespaces: int = 1
    hours: int = 72
    stores: tuple[StoreName, ...] = ()

    function: ClassVar[str] = "previewService"
    parameters: ClassVar[Mapping[str, str]] = {
        **Job.parameters,
        "PULL": "Number of the pull request; builds need not set it",
    }

    @property
    def name(self) -> str:
        """A fixed name: only one environment has preview namespaces, so callers do not name it."""
        return names.PREVIEW_JOB

    @property
    def description(self) -> str:
        """What the job does."""
        return f"Deploys pull requests of {self.service} to preview namespaces of {self.environment}"

    def arguments(self, images: Images) -> dict[str, str]:
        """The same with the stores next to the service, as values of the chart in delivery/resources/preview."""
        shared = {name: stores.shared(name, images[name]) for name in self.stores}
        return {
            **super().arguments(images),
            "namespaces": str(self.namespaces),
            "hours": str(self.hours),
            "stores": json.dumps({"stores": shared}),
        }
