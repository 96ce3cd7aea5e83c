"""The secrets of Jenkins in Secret Manager, and how its pod gets them as files.

Bootstrap creates them before the first update (docs/bootstrap.md): the release waits for a pod that mounts them.
The pod mounts them with GKE's Secret Manager add-on, as its own Kubernetes account.
https://cloud.google.com/secret-manager/docs/secret-manager-managed-csi-component

Traps: a pod with a missing or unreadable secret never starts. The add-on updates the files; Jenkins reads them when it
loads its configuration, not when they change (docs/secrets.md). The line break at the end of a value is ignored.
"""

from __future__ import annotations

from typing import Any

from components.cluster_settings import CSI_DRIVER
from components.expected_secrets import ExpectedSecret
from components.jenkins import names
from components.jenkins.documents import as_yaml
from components.jenkins.settings import JenkinsSettings

FOLDER = "/run/secret-manager"
"""Folder of the files in the controller's pod; each file has the name of its secret."""

ADMIN_PASSWORD = "jenkins-admin-password"  # noqa: S105 - the name of a secret
OIDC_CLIENT_ID = "jenkins-oidc-client-id"
OIDC_CLIENT_SECRET = "jenkins-oidc-client-secret"  # noqa: S105 - the name of a secret
GITHUB_APP_ID = "jenkins-github-app-id"
GITHUB_APP_KEY = "jenkins-github-app-key"
REPORTS_APP_ID = "jenkins-github-reports-id"
REPORTS_APP_KEY = "jenkins-github-reports-key"
WEBHOOK_SECRET = "jenkins-github-webhook"  # noqa: S105 - the name of a secret
SLACK_TOKEN = "jenkins-slack-token"  # noqa: S105 - the name of a secret
SLACK_WEBHOOK = "jenkins-slack-webhook"

_VOLUME = "secret-manager"
_CLASS = "jenkins"


def expected(settings: JenkinsSettings) -> tuple[ExpectedSecret, ...]:
    """All secrets that these settings need."""
    all_secrets = [
        _secret(ADMIN_PASSWORD, "password for the day the login provider is down", value="generated"),
        _secret(OIDC_CLIENT_ID, f"client id of the OpenID Connect client for {settings.url}"),
        _secret(OIDC_CLIENT_SECRET, "client secret of the same client"),
        _secret(GITHUB_APP_ID, "app id of the GitHub App that builds use"),
        _secret(GITHUB_APP_KEY, "private key of the same app (PEM file)", value="private key"),
    ]
    if settings.reports:
        all_secrets += [
            _secret(REPORTS_APP_ID, "app id of the second GitHub App, which writes reports"),
            _secret(REPORTS_APP_KEY, "private key of the second app (PEM file)", value="private key"),
        ]
    if settings.called is not None:
        all_secrets.append(_secret(WEBHOOK_SECRET, "webhook secret of the GitHub App that builds use"))
    if settings.slack is not None:
        all_secrets.append(_secret(SLACK_TOKEN, f"bot token of the Slack app in {settings.slack.team}.slack.com"))
    if settings.platform is not None and settings.platform.slack_webhook is not None:
        all_secrets.append(_secret(SLACK_WEBHOOK, "address of the Slack webhook that deploys and drift report to"))
    return tuple(all_secrets)


def _secret(name: str, purpose: str, **value: Any) -> ExpectedSecret:
    return ExpectedSecret(
        name, purpose, names.CONTROLLER_NAMESPACE, (names.CONTROLLER_ACCOUNT,), made_by="bootstrap", **value
    )


def reference(secret: str) -> str:
    """The expression with which Configuration as Code reads a secret.

    https://github.com/jenkinsci/configuration-as-code-plugin/blob/master/docs/features/secrets.adoc
    """
    return f"${{trim:${{readFile:{FOLDER}/{secret}}}}}"


def provider_class(settings: JenkinsSettings, project: str) -> dict[str, Any]:
    """The add-on's list of secrets to mount, as an extra object of the chart."""
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


def volume() -> dict[str, Any]:
    """The volume with the files, as a value of the chart."""
    source = {"driver": CSI_DRIVER, "readOnly": True, "volumeAttributes": {"secretProviderClass": _CLASS}}
    return {"name": _VOLUME, "csi": source}


def mount() -> dict[str, Any]:
    """Its mount in the controller; the chart also mounts it in its init container."""
    return {"name": _VOLUME, "mountPath": FOLDER, "readOnly": True}
