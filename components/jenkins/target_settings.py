"""What deploys and what changes the platform: everything with a cloud, an account and a credential of its own.

A Jenkinsfile of a service reaches none of it (docs/adr/0003-jenkins-deploy-rights.md).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from components.jenkins.value_types import TemplateSafeText
from components.namespace import QuotaSettings
from components.settings import DnsLabel, Email, Settings


class TargetSettings(Settings):
    """Pods that a Jenkinsfile of a service cannot reach: their own namespace, account, scheduler and cloud."""

    account: Email | None = None
    """Google service account as which its pods act."""

    quota: QuotaSettings = QuotaSettings(cpu="2", memory="8Gi", scratch="20Gi", pods=10)
    """What all its pods may use together."""


class PreviewDeploySettings(TargetSettings):
    """Builds of pull requests that run in an environment for a while, in one of its preview namespaces."""

    hours: Annotated[int, Field(ge=1, le=336)] = 72
    """How long one stays after its last build; it goes earlier when its pull request is closed."""


class DeploySettings(TargetSettings):
    """An environment that Jenkins deploys to."""

    approvers: tuple[Email, ...] = ()
    """People (not groups: Google's login names none) who approve deploys; nobody is asked where the list is empty,
    which a production environment does not allow."""

    preview_namespaces: PreviewDeploySettings | None = None
    """Present in the one environment that has namespaces for builds of pull requests."""


class PlatformSettings(Settings):
    """This repository's own pipeline: previews of the stacks in pull requests, updates from the main branch."""

    main: TemplateSafeText = "main"
    """The branch that is applied."""

    bot: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+(\[bot\])?$", examples=["acme-jenkins[bot]"])]
    """Login of the GitHub App of `github_credential`, which owns the comment in a pull request."""

    slack_webhook: DnsLabel | None = None
    """Credential with the address of Slack's incoming webhook, whose value is in Secret Manager; where it is left out,
    deploys and drift are reported in the logs alone."""

    previews: TargetSettings = TargetSettings()
    """Who previews: an account that reads the stacks and changes nothing, for previews run a pull request's code."""

    drift: TargetSettings = TargetSettings()
    """Who looks for drift: an account that also reads Kubernetes Secrets, where Helm keeps releases; only jobs of the
    main branch become it."""

    changes: TargetSettings = TargetSettings()
    """Who updates the stacks; only jobs of the main branch become it."""
