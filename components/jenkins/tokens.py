"""Secrets that Kubernetes fills with the tokens of accounts: extra objects of the chart, which its pod mounts.

Helm writes them empty, the token controller of Kubernetes adds the tokens, and neither Helm nor Pulumi reads them
back. As resources of the program, the tokens would be in its state, which more identities read and decrypt than may
start pods.
https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#token-controller

Traps: the account exists before the Secret, otherwise the token controller deletes the Secret. A token never expires,
and a new Secret of the same name has the same token: only a new account ends it
(docs/runbooks/rotate-jenkins-secret.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from components.jenkins import names

_TYPE = "kubernetes.io/service-account-token"
KEY = "token"


def objects(clouds: Iterable[str]) -> dict[str, dict[str, Any]]:
    """An empty Secret for each cloud's scheduler, by a key for the values of the chart."""
    return {f"token-{cloud}": secret(names.scheduler_token(cloud), names.scheduler_account(cloud)) for cloud in clouds}


def secret(name: str, account: str) -> dict[str, Any]:
    """An empty Secret that Kubernetes fills with the token of an account."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": names.CONTROLLER_NAMESPACE,
            "annotations": {"kubernetes.io/service-account.name": account},
        },
        "type": _TYPE,
    }


def mounts(clouds: Iterable[str]) -> list[dict[str, str]]:
    """The Secrets as values of the chart, which mounts each as a file NAME-KEY."""
    return [{"name": names.scheduler_token(cloud), "keyName": KEY} for cloud in clouds]


def reference(cloud: str) -> str:
    """The expression with which Configuration as Code reads the token of a cloud's scheduler."""
    return f"${{{names.scheduler_token(cloud)}-{KEY}}}"
