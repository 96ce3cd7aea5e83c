"""Settings of the restricted clouds: pods that deploy services or change the platform.

Each has its own namespace, accounts and credential; a Jenkinsfile of a service reaches none of them
(docs/adr/0003-jenkins-deploy-rights.md).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

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

    changes: TargetSettings = TargetSettings()
    """Updates of the stacks; only jobs of the main branch use this account."""
