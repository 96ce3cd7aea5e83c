"""The names Google Cloud knows pods by: workload identity federation, without an account or a key in between."""

from __future__ import annotations

import pulumi

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
