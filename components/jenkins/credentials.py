"""Jenkins' credentials, as Configuration as Code: each is read from a mounted file, none is typed in by a person."""

from __future__ import annotations

from typing import Any

from components.jenkins import secrets, tokens
from components.jenkins.settings import JenkinsSettings


def script(settings: JenkinsSettings, organization: str) -> dict[str, Any]:
    """All credentials. GLOBAL scope is for pipelines; SYSTEM is for Jenkins itself, and no pipeline can name it."""
    credentials: list[dict[str, Any]] = [
        {
            "gitHubApp": {
                "scope": "GLOBAL",
                "id": settings.github_credential,
                "description": f"GitHub App of {organization}",
                "appID": secrets.reference(secrets.GITHUB_APP_ID),
                "privateKey": secrets.reference(secrets.GITHUB_APP_KEY),
            }
        }
    ]
    if settings.slack is not None:
        value = secrets.reference(secrets.SLACK_TOKEN)
        credentials.append(_text(settings.slack.token_credential, "Slack's bot", value))
    if settings.gateway is not None:
        value = secrets.reference(secrets.WEBHOOK_SECRET)
        webhook = _text(settings.gateway.webhook_credential, "Signature of GitHub's calls", value, scope="SYSTEM")
        credentials.append(webhook)
    if settings.platform is not None and settings.platform.slack_webhook is not None:
        value = secrets.reference(secrets.SLACK_WEBHOOK)
        credentials.append(_text(settings.platform.slack_webhook, "Slack webhook of this repository's own jobs", value))
    for cloud in settings.targets():
        purpose = f"Starts the pods of the cloud {cloud}"
        credentials.append(_text(cloud, purpose, tokens.reference(cloud), scope="SYSTEM"))
    return {"credentials": {"system": {"domainCredentials": [{"credentials": credentials}]}}}


def _text(identity: str, description: str, value: str, *, scope: str = "GLOBAL") -> dict[str, Any]:
    return {"string": {"scope": scope, "id": identity, "description": description, "secret": value}}
