"""Settings of the restricted clouds: pods that deploy services or change the platform.

Each has its own namespace, accounts and credential; a Jenkinsfile of a service reaches none of them
(docs/adr/0003-jenkins-deploy-rights.md).
"""

from __future__ import annotations

from typing import Annotated, cast

from pydantic import Field, field_validator

from components.forms import TextForm
from components.jenkins.value_types import TemplateSafeText
from components.namespace import QuotaSettings
from components.settings import DnsLabel, Email, Settings


class TargetSettings(Settings):
    """Pods that a Jenkinsfile of a service cannot reach, with their own namespace, account, scheduler and cloud."""

    account: Email | None = None
    """Google service account that its pods act as."""

    quota: QuotaSettings = QuotaSettings(cpu="2", memory="8Gi", scratch="20Gi", pods=10)
    """What all its pods may use together."""


class PreviewDeploySettings(TargetSettings):
    """Builds of pull requests that run in an environment for a limited time, in its preview namespaces."""

    hours: Annotated[int, Field(ge=1, le=336)] = 72
    """How long a build stays after the last build of its pull request; it is deleted earlier if that is closed."""


class DeploySettings(TargetSettings):
    """An environment that Jenkins deploys to."""

    approvers: tuple[Email, ...] = ()
    """People (not groups, because Google's login names none) who approve deploys; without approvers, deploys need no
    approval, which a production environment does not allow."""

    preview_namespaces: PreviewDeploySettings | None = None
    """Present in the environment that has namespaces for builds of pull requests."""


class PlatformSettings(Settings):
    """This repository's own pipeline: previews of the stacks in pull requests, updates from the main branch."""

    main: TemplateSafeText = "main"
    """The branch whose stacks are updated."""

    bot: Annotated[
        str, TextForm(r"^[A-Za-z0-9-]+(\[bot\])?$", "the login of a GitHub App or user", "acme-jenkins[bot]")
    ]
    """Login of the GitHub App of `reports_credential`, which owns the comment in a pull request."""

    slack_webhook: DnsLabel | None = None
    """Credential with the address of Slack's incoming webhook, whose value is in Secret Manager; without it, deploys
    and drift are only reported in the logs."""

    previews: TargetSettings = TargetSettings()
    """Previews, which run the code of pull requests: an account that reads the stacks and changes nothing."""

    drift: TargetSettings = TargetSettings()
    """Drift detection: an account that also reads Kubernetes Secrets, where Helm stores releases; only jobs of the main
    branch use it."""

    changes: dict[DnsLabel, TargetSettings] = Field(default_factory=dict)
    """Updates of the stacks, which only jobs of the main branch make: by the name of each environment an account that
    changes this environment alone, and by the key `ephemeral` one for all ephemeral environments."""

    def targets(self) -> dict[str, TargetSettings]:
        """All of its pods, by the key of their settings."""
        changes = {f"changes.{environment}": target for environment, target in self.changes.items()}
        return {"previews": self.previews, "drift": self.drift, **changes}

    @field_validator("changes", mode="before")
    @classmethod
    def _one_for_each_environment(cls, value: object) -> object:
        if isinstance(value, dict) and {"account", "quota"} & {*cast("dict[str, object]", value)}:
            raise ValueError(
                "each environment has an account of its own now; write it below the environment's name, such as "
                "changes: {staging: {account: deploy-staging@PROJECT.iam.gserviceaccount.com}}"
            )
        return value

    @field_validator("changes")
    @classmethod
    def _accounts_differ(cls, value: dict[str, TargetSettings]) -> dict[str, TargetSettings]:
        owners: dict[str, str] = {}
        for environment, target in value.items():
            owner = owners.setdefault(target.account or environment, environment)
            if owner != environment:
                raise ValueError(
                    f"{environment}.account: {target.account} changes {owner} already; give each environment its own"
                )
        return value
