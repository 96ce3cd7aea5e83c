"""Who gives rights in databases: an account in each instance that only Jobs of one closed namespace can be.

Owns: the Google account, the namespace `database-rights` with the service account that acts as it, and its traffic.
Does not own: the account's user in each instance (components/database.py), the Jobs (components/service_rights.py).

Traps: whoever starts a pod in this namespace reads and changes every database, so no group and no deployer has a role
there. The account has no key; its user has no password and is a member of `cloudsqlsuperuser`, which Cloud SQL's API
grants (`database_roles`) and which nobody inside an instance could grant to it.
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

from components.database_login import grant_login
from components.identity import acts_as
from components.namespace import Namespace, NamespaceSettings, QuotaSettings
from components.tenant import TenantTrafficSettings, allow

NAMESPACE = "database-rights"
"""Name of the namespace, which no tenant can have."""

ACCOUNT = "database-admin"
"""Name of the Kubernetes account and ID of the Google account."""

_SIZE = NamespaceSettings(quota=QuotaSettings(cpu="2", memory="4Gi", scratch="10Gi", pods=50))


def account_email(project_id: str) -> str:
    """The e-mail address of the Google account in a project."""
    return f"{ACCOUNT}@{project_id}.iam.gserviceaccount.com"


class DatabaseAdministrator(pulumi.ComponentResource):
    """The administrator of the databases of an environment."""

    account: pulumi.Output[str]
    """E-mail address of the Google account."""

    def __init__(
        self,
        name: str,
        *,
        project_id: pulumi.Input[str],
        workload_pool: pulumi.Input[str],
        database_range: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:database_administrator:DatabaseAdministrator", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        account = gcp.serviceaccount.Account(
            f"{name}-account", account_id=ACCOUNT, display_name="Gives rights in databases", opts=child
        )
        grant_login(name, account, project_id, parent=self)
        namespace = Namespace(name, _SIZE, physical_name=NAMESPACE, opts=child)
        kubernetes.core.v1.ServiceAccount(
            f"{name}-kubernetes-account",
            metadata={
                "name": ACCOUNT,
                "namespace": namespace.namespace_name,
                "annotations": acts_as(account.email),
            },
            automount_service_account_token=False,
            opts=child,
        )
        gcp.serviceaccount.IAMMember(
            f"{name}-impersonation",
            service_account_id=account.name,
            role="roles/iam.workloadIdentityUser",
            member=pulumi.Output.format("serviceAccount:{0}[{1}/{2}]", workload_pool, NAMESPACE, ACCOUNT),
            opts=child,
        )
        traffic = TenantTrafficSettings(gateway=False)
        allow(name, traffic, database_range, namespace=namespace.namespace_name, opts=child)
        self.account = account.email
        self.register_outputs({"account": self.account})
