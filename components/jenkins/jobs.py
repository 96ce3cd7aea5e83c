"""The jobs that deploy a service to an environment; job_documents.py writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from components.delivery import StoreName
from components.gateway import previews
from components.gateway.names import preview_host
from components.gateway.settings import GatewaySettings
from components.jenkins import names, stores
from components.jenkins.registry import Images

_PULL = "PULL"
FOLDER = names.PLATFORM_FOLDER
SERVICES = "services"
"""Folder of the services' own jobs, one for each repository with a Jenkinsfile."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job of a service in the folder `platform`, and the repository whose builds may start it."""

    service: str
    repository: str
    """Git repository of the service."""

    branch: str
    """Branch of the repository whose builds are released."""

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
    def builds(self) -> str:
        """Full name of the job that builds the service, with a job for each branch and pull request below it."""
        return f"{SERVICES}/{self.repository.rstrip('/').rpartition('/')[2].removesuffix('.git')}"

    @property
    def releases(self) -> str:
        """Full name of the job of the branch that is released.

        Jenkins encodes names of branches: https://github.com/jenkinsci/branch-api-plugin, NameEncoder.java. Of its
        characters, only the slash is allowed in the setting.
        """
        return f"{self.builds}/{self.branch.replace('/', '%2F')}"

    def arguments(self, images: Images) -> dict[str, str]:
        """The arguments of the library's function."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class PromoteJob(Job):
    """Releases a candidate of the main branch."""

    function: ClassVar[str] = "promoteService"
    parameters: ClassVar[Mapping[str, str]] = {
        "VERSION": "The version of the build",
        "IMAGE": "Digest of the candidate image",
        "CHART": "Digest of the candidate chart",
    }

    @property
    def name(self) -> str:
        """A fixed name: one job for all environments."""
        return names.PROMOTE_JOB

    @property
    def description(self) -> str:
        """The job whose builds it releases, and nothing else: delivery/vars/releases.groovy reads it."""
        return self.releases

    def arguments(self, images: Images) -> dict[str, str]:  # noqa: ARG002 - previews name images
        """The service, the job whose builds are released, and the repository that it builds."""
        return {
            "service": self.service,
            "source": self.releases,
            "repository": self.repository.removesuffix(".git"),
        }


@dataclass(frozen=True, kw_only=True)
class TargetJob(Job):
    """A service in an environment."""

    environment: str
    project: str
    location: str
    cluster: str
    channel: str
    minutes: int
    """How long pods of a new version may take to become ready."""

    def arguments(self, images: Images) -> dict[str, str]:  # noqa: ARG002 - previews name images
        """The service and the place."""
        return {
            "service": self.service,
            "environment": self.environment,
            "project": self.project,
            "location": self.location,
            "cluster": self.cluster,
            "channel": self.channel,
            "minutes": str(self.minutes),
        }


@dataclass(frozen=True, kw_only=True)
class DeployJob(TargetJob):
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
        return f"Deploys {self.service} to {self.environment}; builds of {self.releases} start it"

    def arguments(self, images: Images) -> dict[str, str]:
        """The same with the job whose builds may start it, the repository, the host and the approvers."""
        return {
            **super().arguments(images),
            "source": self.releases,
            "repository": self.repository.removesuffix(".git"),
            "host": self.host,
            "approvers": self.approvers,
        }


@dataclass(frozen=True, kw_only=True)
class PreviewJob(TargetJob):
    """Deploys the build of a pull request to a preview namespace of an environment, with its own stores."""

    namespaces: int = 1
    hours: int = 72
    stores: tuple[StoreName, ...] = ()
    gateway: GatewaySettings | None = None
    """The Gateway of the environment; None where builds have no hosts."""

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
        """The same with the job whose pull requests may start it, and the values of delivery/resources/preview."""
        shared = {name: stores.shared(name, images[name]) for name in self.stores}
        return {
            **super().arguments(images),
            "source": self.builds,
            "namespaces": str(self.namespaces),
            "hours": str(self.hours),
            "stores": json.dumps({"stores": shared}),
            **self._host(),
        }

    def _host(self) -> dict[str, str]:
        """The host of a build, with `PULL` for its number, and the objects that give it the host; empty without one."""
        if self.gateway is None:
            return dict.fromkeys(("host", "backend", "route"), "")
        return {
            "host": preview_host(self.service, _PULL, self.gateway.domain),
            "backend": json.dumps(previews.backend(self.gateway, self.service)),
            "route": json.dumps(previews.route(self.gateway, self.service, _PULL)),
        }
