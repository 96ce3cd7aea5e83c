"""The login of a workload in a Cloud SQL instance: a service account that it acts as, and its database user."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from components.database_engine import DatabaseVersion, database_user
from components.settings import DnsLabel, Settings

INSTANCE_ROLES = ("roles/cloudsql.client", "roles/cloudsql.instanceUser")
"""Connect through the connector, and log in by IAM."""


class DatabaseUserSettings(Settings):
    """A workload that logs in: its Kubernetes service account acts as a service account made for it."""

    namespace: DnsLabel
    """Kubernetes namespace of the workload."""

    service_account: DnsLabel
    """Kubernetes service account of the workload."""


def login_account_id(user: str) -> str:
    """Id of the service account of a database user, which is unique in the project."""
    return f"{user}-sql"


def grant_login(
    name: str, account: gcp.serviceaccount.Account, project_id: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> None:
    """Let an account connect to the instances of a project, and log in."""
    for role in INSTANCE_ROLES:
        gcp.projects.IAMMember(
            f"{name}-{role.rpartition('.')[2]}", project=project_id, role=role, member=account.member, opts=opts
        )


def workload_login(
    name: str,
    account_id: str,
    user: DatabaseUserSettings,
    *,
    instance: pulumi.Input[str],
    version: DatabaseVersion,
    project_id: pulumi.Input[str],
    workload_pool: pulumi.Input[str],
    parent: pulumi.Resource,
) -> pulumi.Output[str]:
    """Create account, grants and user; returns the account's e-mail address."""
    child = pulumi.ResourceOptions(parent=parent)
    # Database users must be service accounts: workload principals cannot be.
    account = gcp.serviceaccount.Account(
        f"{name}-account", account_id=account_id, display_name=f"Database login of {name}", opts=child
    )
    gcp.serviceaccount.IAMMember(
        f"{name}-impersonation",
        service_account_id=account.name,
        role="roles/iam.workloadIdentityUser",
        member=pulumi.Output.format("serviceAccount:{0}[{1}/{2}]", workload_pool, user.namespace, user.service_account),
        opts=child,
    )
    grant_login(name, account, project_id, child)
    gcp.sql.User(
        f"{name}-user",
        # Not from the account's own e-mail: a preview has to know the name before the account is there.
        name=pulumi.Output.concat(account_id, "@", project_id, ".iam.gserviceaccount.com").apply(
            lambda address: database_user(version, address)
        ),
        type="CLOUD_IAM_SERVICE_ACCOUNT",
        instance=instance,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[account], retain_on_delete=True),
    )
    return account.email
