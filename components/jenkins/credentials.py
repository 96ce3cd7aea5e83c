"""Jenkins' credentials, as Configuration as Code: each is read from a mounted file, none is typed in by a person.

Every pipeline may use those of GLOBAL scope. The credential that writes reports to GitHub is therefore not here, but in
the platform's folders (delivery/jobs/folders.groovy).
"""

from __future__ import annotations

from typing import Any

from components.delivery import PlatformSource
from components.jenkins import secrets, tokens
from components.jenkins.settings import JenkinsSettings


def script(settings: JenkinsSettings, source: PlatformSource) -> dict[str, Any]:
    """All credentials. GLOBAL scope is for pipelines; SYSTEM is for Jenkins itself, and no pipeline can name it."""
    this_repository = {"specificRepositories": {"owner": source.organization, "repositories": [source.name]}}
    credentials = [
        _app(settings.github_credential, f"GitHub App of builds of {source.organization}", "inferRepository"),
        _app(settings.library_credential, f"Reads {source.repository}", this_repository),
    ]
    if settings.slack is not None:
        value = secrets.reference(secrets.SLACK_TOKEN)
        credentials.append(_text(settings.slack.token_credential, "Slack's bot", value))
    if settings.called is not None:
        value = secrets.reference(secrets.WEBHOOK_SECRET)
        webhook = _text(settings.called.webhook_credential, "Signature of GitHub's calls", value, scope="SYSTEM")
        credentials.append(webhook)
    if settings.platform is not None and settings.platform.slack_webhook is not None:
        value = secrets.reference(secrets.SLACK_WEBHOOK)
        credentials.append(_text(settings.platform.slack_webhook, "Slack webhook of this repository's own jobs", value))
    for cloud in settings.targets():
        purpose = f"Starts the pods of the cloud {cloud}"
        credentials.append(_text(cloud, purpose, tokens.reference(cloud), scope="SYSTEM"))
    return {"credentials": {"system": {"domainCredentials": [{"credentials": credentials}]}}}


def _app(identity: str, description: str, repositories: str | dict[str, Any]) -> dict[str, Any]:
    """A credential of the GitHub App of builds. Its tokens in pipelines read repositories and write nothing.

    https://github.com/jenkinsci/github-branch-source-plugin/blob/master/docs/github-app.adoc
    """
    app = {
        "scope": "GLOBAL",
        "id": identity,
        "description": description,
        "appID": secrets.reference(secrets.GITHUB_APP_ID),
        "privateKey": secrets.reference(secrets.GITHUB_APP_KEY),
        "repositoryAccessStrategy": repositories,
        "defaultPermissionsStrategy": "CONTENTS_READ",
    }
    return {"gitHubApp": app}


def _text(identity: str, description: str, value: str, *, scope: str = "GLOBAL") -> dict[str, Any]:
    return {"string": {"scope": scope, "id": identity, "description": description, "secret": value}}
