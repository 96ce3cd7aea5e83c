"""The section `jenkins` of a stack file.

Only the address and the admins are required. The company's facts (its organization on GitHub, this repository, the
backend of the stacks) come from stacks/platform.yaml as a `PlatformSource`. Secrets are never settings: they are in
Secret Manager (secrets.py), and the keys that end in `_credential` name the credentials in Jenkins.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from components.delivery import DeployRules, StoreName
from components.jenkins import capacity, names
from components.jenkins.build_settings import BuildSettings
from components.jenkins.connections import JenkinsGatewaySettings, LibrarySettings, LoginSettings, SlackSettings
from components.jenkins.controller_settings import ChartSettings, ControllerSettings
from components.jenkins.target_settings import DeploySettings, PlatformSettings, PreviewDeploySettings, TargetSettings
from components.jenkins.value_types import ImageName, ImageRole
from components.namespace import QuotaSettings
from components.settings import DnsLabel, Email, Hostname, Settings


class JenkinsSettings(Settings):
    """Jenkins by the official chart, with a new pod for each build."""

    hostname: Hostname
    """Host name under which people reach it."""

    admins: Annotated[tuple[Email, ...], Field(min_length=1)]
    """Administrators; everybody else who can log in may read, build and cancel."""

    github_credential: DnsLabel = "github-app"
    """Credential of the GitHub App of builds; in a pipeline, it only reads the pipeline's own repository."""

    library_credential: DnsLabel = "github-library"
    """Credential of the same App that only reads this repository, for the shared library and the own jobs."""

    reports_credential: DnsLabel = "github-reports"
    """Credential of a second GitHub App, which writes reports; only jobs of the platform's folders have it."""

    library: LibrarySettings = LibrarySettings()
    """The shared pipeline library."""

    admin_user: DnsLabel = "admin"
    """Account for emergencies in which the login provider is down; its password is in Secret Manager."""

    login: LoginSettings = LoginSettings()
    """How people log in."""

    agent_pool: DnsLabel = "agents"
    """Node pool that builds run on; they tolerate its taint `atwork.dev/pool`."""

    max_agents: Annotated[int, Field(ge=1, le=1000)] = 40
    """How many builds run at the same time."""

    protect_home: bool = True
    """Whether Pulumi refuses to delete the home volume and its namespace."""

    retain_home: bool = False
    """Whether both stay in the cluster when Pulumi removes them from its state; the next update must import them."""

    builds: BuildSettings = BuildSettings()
    """Size of builds."""

    test_quota: QuotaSettings = QuotaSettings(cpu="64", memory="256Gi", scratch="500Gi", pods=100)
    """What all tests may use together."""

    promote_quota: QuotaSettings = QuotaSettings(cpu="2", memory="8Gi", scratch="20Gi", pods=10)
    """What all pods that release candidates may use together."""

    stores: tuple[StoreName, ...] = ("postgres", "redis", "mysql")
    """Data stores that tests may request."""

    images: dict[ImageRole, ImageName] = Field(default_factory=dict)
    """Images that replace those of components/versions.py."""

    slack: SlackSettings | None = None
    """Messages to Slack."""

    gateway: JenkinsGatewaySettings | None = None
    """Route from outside. Without it, Jenkins is only reached by port-forwarding."""

    deploys: dict[DnsLabel, DeploySettings] = Field(default_factory=dict)
    """Environments that Jenkins deploys to, by the name of their stack."""

    platform: PlatformSettings | None = None
    """Jobs of this repository itself."""

    controller: ControllerSettings = ControllerSettings()
    """Size of Jenkins itself."""

    chart: ChartSettings = ChartSettings()
    """The Helm chart."""

    @property
    def url(self) -> str:
        """The address for people."""
        return f"https://{self.hostname}"

    @property
    def called(self) -> JenkinsGatewaySettings | None:
        """The gateway through which GitHub calls; None where no call arrives."""
        return None if self.gateway is None or self.gateway.internal else self.gateway

    @property
    def login_domain(self) -> str | None:
        """The Workspace domain of accounts that may log in; None for a provider that restricts accounts itself."""
        return self.login.domain_for(self.admins)

    def deploy_targets(self) -> dict[str, DeployRules]:
        """The environments that Jenkins deploys to, by the name of their stack."""
        return {
            environment: DeployRules(deploy.approvers, deploy.preview_namespaces is not None)
            for environment, deploy in self.deploys.items()
        }

    def previews(self) -> tuple[str, PreviewDeploySettings] | None:
        """The environment in which builds of pull requests run, and its settings."""
        for environment, deploy in self.deploys.items():
            if deploy.preview_namespaces is not None:
                return environment, deploy.preview_namespaces
        return None

    @property
    def reports(self) -> bool:
        """Whether jobs write reports to GitHub, or ask it about pull requests of all services."""
        return self.platform is not None or self.previews() is not None

    def targets(self) -> dict[str, TargetSettings]:
        """All restricted clouds, by name: each has its own namespace and accounts."""
        targets: dict[str, TargetSettings] = {names.deploy_cloud(key): deploy for key, deploy in self.deploys.items()}
        if (previews := self.previews()) is not None:
            targets[names.preview_cloud(previews[0])] = previews[1]
        if self.deploys:
            targets[names.PROMOTE_CLOUD] = TargetSettings(quota=self.promote_quota)
        if self.platform is not None:
            targets |= {names.PREVIEW_CLOUD: self.platform.previews, names.DRIFT_CLOUD: self.platform.drift}
            targets |= {names.change_cloud(key): change for key, change in self.platform.changes.items()}
        return targets

    @model_validator(mode="after")
    def _login_is_restricted(self) -> Self:
        if (mistake := self.login.mistake(self.admins)) is not None:
            raise ValueError(mistake)
        return self

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        for environment in self.deploys:
            if len(names.target_namespace(names.deploy_cloud(environment))) > 63:
                raise ValueError(f"deploys.{environment}: the name is too long; 48 characters at most")
        for environment in self.platform.changes if self.platform is not None else ():
            if len(names.target_namespace(names.change_cloud(environment))) > 63:
                raise ValueError(f"platform.changes.{environment}: the name is too long; 39 characters at most")
        with_previews = [key for key, deploy in self.deploys.items() if deploy.preview_namespaces is not None]
        if len(with_previews) > 1:
            raise ValueError(
                f"deploys: {', '.join(with_previews)} all have preview_namespaces; leave them in one environment"
            )
        if names.PROMOTE_JOB in self.deploys:
            raise ValueError(
                f"deploys.{names.PROMOTE_JOB}: the name is reserved for the job that releases builds; "
                "rename the environment"
            )
        if with_previews and names.PREVIEW_JOB in self.deploys:
            raise ValueError(
                f"deploys.{names.PREVIEW_JOB}: the name is reserved for the job of preview namespaces; "
                "rename the environment"
            )
        return self

    @model_validator(mode="after")
    def _credentials_differ(self) -> Self:
        named = [self.github_credential, self.library_credential, self.reports_credential, *self.targets()]
        named += [] if self.slack is None else [self.slack.token_credential]
        named += [] if self.called is None else [self.called.webhook_credential]
        named += [] if self.platform is None or self.platform.slack_webhook is None else [self.platform.slack_webhook]
        if repeated := sorted({name for name in named if named.count(name) > 1}):
            raise ValueError(f"two credentials are called {repeated[0]}; give each a name of its own")
        return self

    @model_validator(mode="after")
    def _agents_fit(self) -> Self:
        shortages = capacity.shortages(self.builds, self.test_quota, self.stores, self.max_agents, self.targets())
        for shortage in shortages:
            raise ValueError(shortage)
        return self

    @model_validator(mode="after")
    def _stores_are_unique(self) -> Self:
        repeated = sorted({store for store in self.stores if self.stores.count(store) > 1})
        if repeated:
            raise ValueError(f"stores: {', '.join(repeated)} is there twice; remove one")
        return self
