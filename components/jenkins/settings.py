"""What a stack file says of Jenkins."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.settings import DnsLabel, Email, Settings
from components.versions import JENKINS_CHART

Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$", examples=["500m", "4Gi"])]
"""A Kubernetes resource quantity."""


class ChartSettings(Settings):
    """Where the official Helm chart comes from, for those who mirror it."""

    source: Literal["repository", "oci", "path"] = "repository"
    """A chart repository, an OCI registry, or a folder or archive on the machine that runs Pulumi."""

    location: str = "https://charts.jenkins.io"
    """Address of the repository, `oci://` reference of the chart, or path."""

    version: str = JENKINS_CHART
    """Version of the chart."""

    @model_validator(mode="after")
    def _location_of_its_kind(self) -> Self:
        prefixes = {"repository": ("https://", "http://"), "oci": ("oci://",), "path": ("/", "./", "../")}[self.source]
        if not self.location.startswith(prefixes):
            raise ValueError(f"location {self.location} of source {self.source} begins with {' or '.join(prefixes)}")
        return self


class SlackSettings(Settings):
    """Where builds report. The token is a Kubernetes secret that the stack never sees."""

    team: DnsLabel
    """Workspace, the part before .slack.com."""

    channel: Annotated[str, Field(pattern=r"^#[a-z0-9_-]{1,79}$")]
    """Channel for builds."""


class LibrarySettings(Settings):
    """The shared pipeline library: trusted code, so its repository is protected."""

    repository: Annotated[str, Field(pattern=r"^https://.+\.git$")]
    """Git repository."""

    version: str = "v1"
    """Tag or branch that Jenkinsfiles get unless they name another."""

    path: str = "delivery"
    """Folder of the library in the repository."""


class DeploySettings(Settings):
    """An environment that Jenkins may deploy to, from a namespace of its own."""

    approvers: tuple[Email, ...] = ()
    """Who releases a deployment; none means that every build of the main branch deploys."""


class JenkinsSettings(Settings):
    """Jenkins on the ci cluster."""

    hostname: Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]
    """Where people reach it."""

    admins: Annotated[tuple[Email, ...], Field(min_length=1)]
    """Who administers it; everybody else who is logged in may read and build."""

    github_organization: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}$")]
    """Every repository of it with a Jenkinsfile is built."""

    library: LibrarySettings
    """The pipeline library."""

    chart: ChartSettings = ChartSettings()
    """The Helm chart."""

    image_registry: str | None = None
    """Registry of the controller's image, where it is mirrored."""

    cpu: Quantity = "2"
    """Processors of the controller."""

    memory: Quantity = "4Gi"
    """Memory of the controller."""

    home_size: Annotated[str, Field(pattern=r"^[0-9]+Gi$")] = "50Gi"
    """Volume of history and keys; it can grow, not shrink."""

    protect_home: bool = True
    """Whether the volume outlives a destroy."""

    agent_pool: DnsLabel = "agents"
    """Node pool of the build pods; it carries the taint `atwork.dev/pool`."""

    max_agents: Annotated[int, Field(ge=1, le=1000)] = 40
    """Most build pods at once."""

    slack: SlackSettings | None = None
    """Notices; left out, builds are silent."""

    deploys: dict[DnsLabel, DeploySettings] = Field(default_factory=dict)
    """Environments that builds may deploy to, by the name of their stack."""
