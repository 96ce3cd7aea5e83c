"""What a stack file may say about Jenkins.

Few keys are required: where it is and who runs it. What the company is (its organization on GitHub, this repository,
the backend of the stacks) comes from stacks/platform.yaml as a `PlatformSource`. Secrets are never settings: they are
in Secret Manager (secrets.py), and the keys that end in `_credential` name what Jenkins makes of them.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components import versions
from components.delivery import DeployTarget, StoreName
from components.jenkins import names, sizes
from components.jenkins.targets import DeploySettings, PlatformSettings, PreviewDeploySettings, TargetSettings
from components.jenkins.value_types import Image, ImageRole, TemplateSafeText
from components.namespace import Cpu, Memory, QuotaSettings
from components.settings import DnsLabel, Email, Hostname, HttpsUrl, Settings

GOOGLE = "https://accounts.google.com/.well-known/openid-configuration"


class ChartSettings(Settings):
    """Where the official Helm chart comes from, for those who mirror it."""

    source: Literal["repository", "oci", "path"] = "repository"
    """A Helm repository, an OCI registry or a folder next to the program."""

    location: TemplateSafeText = versions.JENKINS_CHART_REPOSITORY
    """Address of the repository, oci:// reference of the chart, or path of the folder."""

    version: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")] = versions.JENKINS_CHART
    """Exact version; a folder has the one it has."""

    @model_validator(mode="after")
    def _location_fits_source(self) -> Self:
        starts = {"repository": "https://", "oci": "oci://", "path": ("./", "../", "/")}[self.source]
        if not self.location.startswith(starts):
            wanted = starts if isinstance(starts, str) else " or ".join(starts)
            raise ValueError(f"chart.location {self.location} must start with {wanted} where source is {self.source}")
        return self


class ControllerSettings(Settings):
    """The one pod that is Jenkins itself."""

    cpu: Cpu = "1"
    """CPU request; it may use twice as much, and two cores at least."""

    memory: Memory = "4Gi"
    """Memory, request and limit; the JVM's heap is 60 % of it."""

    pool: DnsLabel | None = None
    """Node pool that it must run on; left out, any that has no taint."""

    disk: Memory = "50Gi"
    """Size of the home volume. It can be raised later, never lowered."""

    storage_class: DnsLabel = "standard-rwo"
    """Storage class of the home volume; GKE's own standard-rwo is a balanced persistent disk."""


class BuildSettings(Settings):
    """The namespace in which builds run, and the size of one image build."""

    quota: QuotaSettings = QuotaSettings(cpu="64", memory="256Gi", scratch="2Ti", pods=100)
    """What all builds may use together: room for `max_agents` of them."""

    cpu: Cpu = "1"
    """CPU request of an image build."""

    memory: Memory = "4Gi"
    """Memory of an image build, request and limit."""

    scratch: Memory = "20Gi"
    """Scratch disk of an image build."""

    ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = (443,)
    """TCP ports of the internet that builds and tests may reach."""


class LibrarySettings(Settings):
    """This repository's shared pipeline library. It runs outside the sandbox: who can push to it controls Jenkins."""

    version: TemplateSafeText = "v1"
    """Branch or tag that pipelines get."""

    path: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]+$")] = "delivery"
    """Folder of the repository that holds vars/."""

    version_override: bool = False
    """Whether a Jenkinsfile may name another version. Any branch of the repository then runs with all rights."""


class LoginSettings(Settings):
    """Login by OpenID Connect."""

    discovery: HttpsUrl = GOOGLE
    """The provider's discovery document."""

    domain: Hostname | None = None
    """Google Workspace domain (claim `hd`) that accounts must be of; left out, the one that all admins are of."""


class SlackSettings(Settings):
    """Where builds report."""

    team: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    """Workspace: the first part of TEAM.slack.com."""

    channel: Annotated[str, Field(pattern=r"^#[a-z0-9_-]+$")]
    """Channel of builds that name no other."""

    token_credential: DnsLabel = "slack-token"  # noqa: S105 - the name of a credential
    """Credential with the bot's token."""


class GatewaySettings(Settings):
    """The GKE Gateway through which people reach Jenkins, behind the Identity-Aware Proxy."""

    name: DnsLabel
    """Name of the Gateway."""

    namespace: DnsLabel
    """Namespace of the Gateway."""

    webhook_credential: DnsLabel = "github-webhook"
    """Credential with the GitHub App's webhook secret."""


class JenkinsSettings(Settings):
    """Jenkins by the official chart, with a new pod for each build."""

    hostname: Hostname
    """Name under which people reach it."""

    admins: Annotated[tuple[Email, ...], Field(min_length=1)]
    """Who may do everything; everybody else who can log in may read, build and cancel."""

    github_credential: DnsLabel = "github-app"
    """Credential with the GitHub App's id and key; pipelines name it."""

    library: LibrarySettings = LibrarySettings()
    """The shared pipeline library."""

    admin_user: DnsLabel = "admin"
    """Account for the day the login provider is down; its password is in Secret Manager."""

    login: LoginSettings = LoginSettings()
    """Who people say they are."""

    agent_pool: DnsLabel = "agents"
    """Node pool that builds run on; its taint `atwork.dev/pool` is tolerated."""

    max_agents: Annotated[int, Field(ge=1, le=1000)] = 40
    """Builds that run at one time."""

    protect_home: bool = True
    """Whether Pulumi refuses to delete the home volume and its namespace."""

    retain_home: bool = False
    """Whether both stay in the cluster when Pulumi removes them from its state; the next update must import them."""

    builds: BuildSettings = BuildSettings()
    """Size of builds."""

    test_quota: QuotaSettings = QuotaSettings(cpu="64", memory="256Gi", scratch="500Gi", pods=100)
    """What all tests may use together."""

    stores: tuple[StoreName, ...] = ("postgres", "redis", "mysql")
    """Data stores that tests may ask for."""

    images: dict[ImageRole, Image] = Field(default_factory=dict)
    """Images that replace those of components/versions.py."""

    slack: SlackSettings | None = None
    """Messages to Slack."""

    gateway: GatewaySettings | None = None
    """Route from outside. Left out, Jenkins is reached by port-forwarding alone."""

    deploys: dict[DnsLabel, DeploySettings] = Field(default_factory=dict)
    """Environments that are deployed to, by the name of their stack."""

    platform: PlatformSettings | None = None
    """Jobs of this repository itself."""

    controller: ControllerSettings = ControllerSettings()
    """Size of Jenkins itself."""

    chart: ChartSettings = ChartSettings()
    """The Helm chart."""

    @property
    def url(self) -> str:
        """The address people use."""
        return f"https://{self.hostname}"

    @property
    def login_domain(self) -> str | None:
        """The Workspace domain accounts must be of; None where another provider decides who has an account."""
        if self.login.discovery != GOOGLE:
            return self.login.domain
        return self.login.domain or self.admins[0].rpartition("@")[2].lower()

    @model_validator(mode="after")
    def _somebody_is_kept_out(self) -> Self:
        domains = sorted({email.rpartition("@")[2].lower() for email in self.admins})
        if self.login.discovery == GOOGLE and self.login.domain is None and len(domains) > 1:
            raise ValueError(
                f"admins are of {', '.join(domains)}, so login.domain must say whose Google accounts may log in"
            )
        return self

    def deploy_targets(self) -> dict[str, DeployTarget]:
        """The environments that Jenkins deploys to, by the name of their stack."""
        return {
            environment: DeployTarget(deploy.approvers, deploy.preview_namespaces is not None)
            for environment, deploy in self.deploys.items()
        }

    def previews(self) -> tuple[str, PreviewDeploySettings] | None:
        """The environment in which builds of pull requests run, where there is one."""
        for environment, deploy in self.deploys.items():
            if deploy.preview_namespaces is not None:
                return environment, deploy.preview_namespaces
        return None

    def targets(self) -> dict[str, TargetSettings]:
        """Everything with a cloud and an account of its own, by the name of the cloud."""
        targets: dict[str, TargetSettings] = {names.deploy_cloud(key): deploy for key, deploy in self.deploys.items()}
        if (previews := self.previews()) is not None:
            targets[names.preview_cloud(previews[0])] = previews[1]
        if self.platform is not None:
            own = (self.platform.previews, self.platform.drift, self.platform.changes)
            targets |= dict(zip(names.PLATFORM_CLOUDS, own, strict=True))
        return targets

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        for cloud, environment in [(names.deploy_cloud(key), key) for key in self.deploys]:
            if len(names.target_namespace(cloud)) > 63:
                raise ValueError(f"deploys.{environment}: the name is too long; 48 characters at most")
        with_previews = [key for key, deploy in self.deploys.items() if deploy.preview_namespaces is not None]
        if len(with_previews) > 1:
            raise ValueError(
                f"deploys: {', '.join(with_previews)} all have preview_namespaces; leave them in one environment"
            )
        if with_previews and names.PREVIEW_JOB in self.deploys:
            raise ValueError(
                f"deploys.{names.PREVIEW_JOB}: the name is reserved for the job of preview namespaces; "
                "rename the environment"
            )
        return self

    @model_validator(mode="after")
    def _credentials_differ(self) -> Self:
        named = [self.github_credential, *self.targets()]
        named += [] if self.slack is None else [self.slack.token_credential]
        named += [] if self.gateway is None else [self.gateway.webhook_credential]
        named += [] if self.platform is None or self.platform.slack_webhook is None else [self.platform.slack_webhook]
        if repeated := sorted({name for name in named if named.count(name) > 1}):
            raise ValueError(f"two credentials are called {repeated[0]}; give each a name of its own")
        return self

    @model_validator(mode="after")
    def _agents_fit(self) -> Self:
        for key, quota in (("builds.quota", self.builds.quota), ("test_quota", self.test_quota)):
            if quota.pods < self.max_agents:
                raise ValueError(
                    f"{key}.pods {quota.pods} is less than max_agents {self.max_agents}: pods beyond it would be "
                    "refused; raise the one or lower the other"
                )
        for key, quota, pods, pod in (
            ("builds.quota", self.builds.quota, "builds", sizes.build_pod(self.builds)),
            ("test_quota", self.test_quota, "tests", sizes.test_pod(self.stores)),
        ):
            for resource, needed, share in sizes.missing(quota, pod, self.max_agents):
                raise ValueError(
                    f"{key}.{resource} has no room for {self.max_agents} {pods} (max_agents) of {share} each: "
                    f"write {needed} or more, or lower max_agents"
                )
        for cloud, target in self.targets().items():
            for resource, needed, share in sizes.missing(target.quota, pod_of(cloud), 1):
                raise ValueError(
                    f"quota.{resource} of {cloud} has no room for one pod of {share}: write {needed} or more"
                )
        return self

    @model_validator(mode="after")
    def _stores_stand_once(self) -> Self:
        repeated = sorted({store for store in self.stores if self.stores.count(store) > 1})
        if repeated:
            raise ValueError(f"stores: {', '.join(repeated)} is there twice; remove one")
        return self


def pod_of(cloud: str) -> sizes.Pod:
    """The pods of a cloud with rights outside."""
    return sizes.platform_pod() if cloud in names.PLATFORM_CLOUDS else sizes.deploy_pod()
