"""The names Google Cloud knows pods by: workload identity federation, without an account or a key in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from collections.abc import Mapping

ANNOTATION = "iam.gke.io/gcp-service-account"
"""On a Kubernetes service account: the Google account that its pods act as, and then they are no principal any more."""

PRINCIPAL = (
    "principal://iam.googleapis.com/projects/{0}/locations/global/workloadIdentityPools/{1}/subject/ns/{2}/sa/{3}"
)
"""Any pod of that namespace and account, in any cluster of the project: hence one project for each environment."""


def principal(
    project_number: pulumi.Input[str],
    workload_pool: pulumi.Input[str],
    namespace: pulumi.Input[str],
    account: pulumi.Input[str],
) -> pulumi.Output[str]:
    """The IAM member that is every pod which runs as a Kubernetes service account.

    https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity
    """
    return pulumi.Output.format(PRINCIPAL, project_number, workload_pool, namespace, account)


def acts_as(account: pulumi.Input[str] | None) -> Mapping[str, pulumi.Input[str]]:
    """Annotations of a Kubernetes service account whose pods act as a Google account; empty without one."""
    return {} if account is None else {ANNOTATION: account}


def member(principal: pulumi.Input[str], account: pulumi.Input[str] | None) -> pulumi.Input[str]:
    """The IAM member to grant to: Google's APIs see an annotated pod as its Google account, and no other as that.

    https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity#kubernetes-sa-to-iam
    """
    return principal if account is None else pulumi.Output.format("serviceAccount:{0}", account)
