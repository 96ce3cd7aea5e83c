"""The secrets of Jenkins in Secret Manager, and how its pod gets them as files.

They stand before the first update, because the release waits for a pod that mounts them: bootstrap makes them
(docs/bootstrap.md). The pod mounts them by GKE's Secret Manager add-on, as its own Kubernetes account.
https://cloud.google.com/secret-manager/docs/secret-manager-managed-csi-component

Traps: a pod with one missing or unreadable secret never starts. The add-on renews the files; Jenkins reads them when
it loads its configuration, not when they change (docs/secrets.md). A value is read without the line break at its end.
"""

from __future__ import annotations

from typing import Any

from components.expected_secrets import ExpectedSecret
from components.jenkins import names
from components.jenkins.documents import as_yaml
from components.jenkins.settings import JenkinsSettings

FOLDER = "/run/secret-manager"
"""Where the controller finds them, one file for each, called as the secret is."""

DRIVER = "secrets-store-gke.csi.k8s.io"

ADMIN_PASSWORD = "jenkins-admin-password"  # noqa: S105 - the name of a secret
OIDC_CLIENT_ID = "jenkins-oidc-client-id"
OIDC_CLIENT_SECRET = "jenkins-oidc-client-secret"  # noqa: S105 - the name of a secret
GITHUB_APP_ID = "jenkins-github-app-id"
GITHUB_APP_KEY = "jenkins-github-app-key"
WEBHOOK_SECRET = "jenkins-github-webhook"  # noqa: S105 - the name of a secret
SLACK_TOKEN = "jenkins-slack-token"  # noqa: S105 - the name of a secret
SLACK_WEBHOOK = "jenkins-slack-webhook"

_VOLUME = "secret-manager"
_CLASS = "jenkins"


def expected(settings: JenkinsSettings) -> tuple[ExpectedSecret, ...]:
    """All secrets that these settings need."""
    found = [
        _secret(ADMIN_PASSWORD, "password for the day the login provider is down", value="generated"),
        _secret(OIDC_CLIENT_ID, f"client id of the OpenID Connect client for {settings.url}"),
        _secret(OIDC_CLIENT_SECRET, "client secret of the same client"),
        _secret(GITHUB_APP_ID, "app id of the GitHub App that Jenkins uses"),
        _secret(GITHUB_APP_KEY, "private key of the same app (PEM file)", value="private key"),
    ]
    if settings.gateway is not None:
        found.append(_secret(WEBHOOK_SECRET, "webhook secret of the same app"))
    if settings.slack is not None:
        found.append(_secret(SLACK_TOKEN, f"bot token of the Slack app in {settings.slack.team}.slack.com"))
    if settings.platform is not None and settings.platform.slack_webhook is not None:
        found.append(_secret(SLACK_WEBHOOK, "address of the Slack webhook that deploys and drift report to"))
    return tuple(found)


def _secret(name: str, purpose: str, **value: Any) -> ExpectedSecret:
    return ExpectedSecret(
        name, purpose, names.CONTROLLER_NAMESPACE, (names.CONTROLLER_ACCOUNT,), made_by="bootstrap", **value
    )


def reference(secret: str) -> str:
    """How Configuration as Code reads one.

    https://github.com/jenkinsci/configuration-as-code-plugin/blob/master/docs/features/secrets.adoc
    """
    return f"${{trim:${{readFile:{FOLDER}/{secret}}}}}"


def provider_class(settings: JenkinsSettings, project: str) -> dict[str, Any]:
    """The add-on's list of what to mount, as an object of the chart."""
    mounted = [
        {"resourceName": f"{secret.resource(project)}/versions/latest", "path": secret.name}
        for secret in expected(settings)
    ]
    return {
        "apiVersion": "secrets-store.csi.x-k8s.io/v1",
        "kind": "SecretProviderClass",
        "metadata": {"name": _CLASS, "namespace": names.CONTROLLER_NAMESPACE},
        "spec": {"provider": "gke", "parameters": {"secrets": as_yaml(mounted)}},
    }


def persistence() -> dict[str, Any]:
    """The volume and its mount, in the chart's words; the chart mounts it in its init container too."""
    source = {"driver": DRIVER, "readOnly": True, "volumeAttributes": {"secretProviderClass": _CLASS}}
    return {
        "volumes": [{"name": _VOLUME, "csi": source}],
        "mounts": [{"name": _VOLUME, "mountPath": FOLDER, "readOnly": True}],
    }
