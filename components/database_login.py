"""The login of a workload in a Cloud SQL instance: a service account that it acts as, and its database user."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pulumi
import pulumi_gcp as gcp
from pulumi.resource import create_urn

from components.database_engine import DatabaseVersion, database_user
from components.settings import DnsLabel, Settings

INSTANCE_ROLES = ("roles/cloudsql.client", "roles/cloudsql.instanceUser")
"""Connect through the connector, and log in by IAM."""

_NOWHERE: Mapping[str, str] = MappingProxyType({})


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
    name: str,
    account: gcp.serviceaccount.Account,
    project_id: pulumi.Input[str],
    *,
    parent: pulumi.Resource,
    elsewhere: Mapping[str, str] = _NOWHERE,
) -> None:
    """Let an account connect to the instances of a project, and log in."""
    for role in INSTANCE_ROLES:
        suffix = role.rpartition(".")[2]
        gcp.projects.IAMMember(
            f"{name}-{suffix}",
            project=project_id,
            role=role,
            member=account.member,
            opts=_moving(suffix, parent, elsewhere),
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
    elsewhere: Mapping[str, str] = _NOWHERE,
) -> pulumi.Output[str]:
    """Create account, grants and user; returns the account's e-mail address.

    `elsewhere` has the name of the login in other instances, from which the workload may come, by component.
    """
    # Database users must be service accounts: workload principals cannot be.
    account = gcp.serviceaccount.Account(
        f"{name}-account",
        account_id=account_id,
        display_name=f"Database login of {name}",
        opts=_moving("account", parent, elsewhere),
    )
    gcp.serviceaccount.IAMMember(
        f"{name}-impersonation",
        service_account_id=account.name,
        role="roles/iam.workloadIdentityUser",
        member=pulumi.Output.format("serviceAccount:{0}[{1}/{2}]", workload_pool, user.namespace, user.service_account),
        opts=_moving("impersonation", parent, elsewhere),
    )
    grant_login(name, account, project_id, parent=parent, elsewhere=elsewhere)
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


def _moving(suffix: str, parent: pulumi.Resource, elsewhere: Mapping[str, str]) -> pulumi.ResourceOptions:
    """The options of a resource that a workload keeps when it moves to another instance.

    An account has the same ID in each instance: made again, it would be refused, because the old one is deleted last.
    """
    kind = parent.pulumi_resource_type
    aliases = [
        pulumi.Alias(name=f"{login}-{suffix}", parent=create_urn(component, kind))
        for component, login in elsewhere.items()
    ]
    return pulumi.ResourceOptions(parent=parent, aliases=aliases)
