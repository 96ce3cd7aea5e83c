"""Settings of the systems that Jenkins is connected to: Git, the login provider, Slack and the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from components.forms import TextForm
from components.gateway import names
from components.jenkins.value_types import TemplateSafeText
from components.settings import DnsLabel, Hostname, HttpsUrl, Settings, SlackChannel

GOOGLE = "https://accounts.google.com/.well-known/openid-configuration"


class LibrarySettings(Settings):
    """This repository's shared pipeline library. It runs outside Groovy's sandbox: its authors control Jenkins."""

    version: TemplateSafeText = "v1"
    """Branch or tag that pipelines get."""

    path: Annotated[str, TextForm(r"^[A-Za-z0-9._/-]+$", "the path of a folder in the repository", "delivery")] = (
        "delivery"
    )
    """Folder of the repository that contains vars/."""

    version_override: bool = False
    """Whether a Jenkinsfile may name another version. Any branch of the repository then runs with all rights."""


class LoginSettings(Settings):
    """Login by OpenID Connect."""

    discovery: HttpsUrl = GOOGLE
    """The provider's discovery document."""

    domain: Hostname | None = None
    """Google Workspace domain (claim `hd`) of the accounts that may log in; by default the domain of the admins."""

    def domain_for(self, admins: Sequence[str]) -> str | None:
        """The Workspace domain of accounts that may log in; None for a provider that restricts accounts itself."""
        if self.discovery != GOOGLE:
            return self.domain
        return self.domain or email_domain(admins[0])

    def mistake(self, admins: Sequence[str]) -> str | None:
        """What is wrong if the domain does not follow from the admins."""
        domains = sorted({email_domain(email) for email in admins})
        if self.discovery == GOOGLE and self.domain is None and len(domains) > 1:
            return f"admins are of {', '.join(domains)}, so login.domain must say whose Google accounts may log in"
        return None


class SlackSettings(Settings):
    """Where builds report."""

    team: Annotated[
        str, TextForm(r"^[a-z0-9][a-z0-9-]*$", "the first part of the workspace's address TEAM.slack.com", "acme")
    ]
    """Workspace: the first part of TEAM.slack.com."""

    channel: SlackChannel
    """Channel of builds whose Jenkinsfile names no channel."""

    token_credential: DnsLabel = "slack-token"  # noqa: S105 - the name of a credential
    """Credential with the bot's token."""


class JenkinsGatewaySettings(Settings):
    """The GKE Gateway through which people reach Jenkins, behind the Identity-Aware Proxy if it is external.

    By default the one of the stack's `gateway`.
    """

    name: DnsLabel = names.GATEWAY
    """Name of the Gateway."""

    namespace: DnsLabel = names.NAMESPACE
    """Namespace of the Gateway."""

    internal: bool = False
    """Whether only your networks reach it. No call of GitHub arrives then: Jenkins asks for pushes itself."""

    webhook_credential: DnsLabel = "github-webhook"
    """Credential with the GitHub App's webhook secret."""

    @property
    def own(self) -> bool:
        """Whether it is the Gateway of the stack, not one that was made by hand."""
        return (self.name, self.namespace) == (names.GATEWAY, names.NAMESPACE)


def email_domain(email: str) -> str:
    """The domain of an e-mail address, in lower case."""
    return email.rpartition("@")[2].lower()
