"""A Cloud SQL instance of PostgreSQL or MySQL: private, encrypted, without passwords.

Owns: the instance, its databases, the service accounts that log in by IAM and their database users.
Does not own: the network's service connection policy (wiring), tables and roles inside a database.

Traps:
- The name is auto-made: Cloud SQL keeps a deleted instance's name for a week.
- There are three deletion guards, the engine's, the provider's and the server's; one setting turns them all. Only
  the engine's is met before the databases and users are gone.
- The key is chosen when the instance is made; another one replaces the instance with its databases and users.
- An unset edition means Enterprise Plus from PostgreSQL 16 and MySQL 8.4 on, at many times the price.
- MySQL creates a user `root` without a password; the provider deletes it with the creation of the instance.
- Names of logins differ between the engines (database_engine.py); roles that own objects block the deletion
  of a user, so users and databases are left to the instance's own deletion. The engine leaves them (`retain_on_delete`)
  and not the provider (`deletion_policy`), which an import resets: what returns to the program is adopted without a
  difference (docs/adr/0015-left-behind.md).
- `log_connections` is a list from PostgreSQL 18 on, where `on` stays valid (database_flags.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp as gcp

from components.database_administrator import account_email
from components.database_engine import database_user
from components.database_instance import instance_settings
from components.database_login import login_account_id, workload_login
from components.database_replicas import replicas
from components.database_settings import DatabaseSettings
from components.network_refs import NetworkRefs
from components.postgres_rights import ADMINISTRATOR_ROLE
from components.settings import Region


class Database(pulumi.ComponentResource):
    """A private instance, its databases, and logins by IAM alone.

    `others` are names of components of other instances, from which logins may come.
    """

    instance_name: pulumi.Output[str]
    connection_name: pulumi.Output[str]
    dns_name: pulumi.Output[str]
    accounts: dict[str, pulumi.Output[str]]
    replicas: dict[str, pulumi.Output[str]]
    """Connection names `PROJECT:REGION:INSTANCE` of the replicas."""

    def __init__(
        self,
        name: str,
        settings: DatabaseSettings,
        *,
        region: Region,
        project_id: pulumi.Input[str],
        network: NetworkRefs,
        workload_pool: pulumi.Input[str],
        administrator: pulumi.Resource,
        encryption_key: pulumi.Input[str] | None,
        replica_keys: Mapping[str, pulumi.Input[str]],
        labels: Mapping[str, str],
        others: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:database:Database", name, {}, opts)
        instance = gcp.sql.DatabaseInstance(
            f"{name}-instance",
            database_version=settings.version,
            region=region,
            encryption_key_name=encryption_key,
            deletion_protection=settings.deletion_protection,
            # An upgrade of the version takes the replicas along, which are then what the program states.
            include_replicas_for_major_version_upgrade=True if settings.replicas else None,
            settings=instance_settings(settings, project_id, network, labels),
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=network.database_access, protect=settings.deletion_protection
            ),
        )
        kept = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        for database in settings.databases:
            gcp.sql.Database(
                f"{name}-{database}",
                name=database,
                instance=instance.name,
                opts=kept,
            )
        self.accounts = {
            key: workload_login(
                f"{name}-{key}",
                login_account_id(key),
                user,
                instance=instance.name,
                version=settings.version,
                project_id=project_id,
                workload_pool=workload_pool,
                parent=self,
                elsewhere={other: f"{other}-{key}" for other in others},
            )
            for key, user in settings.users.items()
        }
        gcp.sql.User(
            f"{name}-administrator",
            name=pulumi.Output.from_input(project_id).apply(
                lambda project: database_user(settings.version, account_email(project))
            ),
            type="CLOUD_IAM_SERVICE_ACCOUNT",
            database_roles=[ADMINISTRATOR_ROLE],
            instance=instance.name,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[administrator], retain_on_delete=True),
        )
        for group in settings.groups:
            gcp.sql.User(
                f"{name}-group-{group.partition('@')[0]}",
                name=group,
                type="CLOUD_IAM_GROUP",
                instance=instance.name,
                opts=kept,
            )
        self.replicas = replicas(
            name,
            settings,
            primary=instance,
            region=region,
            project_id=project_id,
            network=network,
            key_in=replica_keys,
            labels=labels,
            parent=self,
        )
        self.instance_name = instance.name
        self.connection_name, self.dns_name = instance.connection_name, instance.dns_name
        self.register_outputs(
            {"connection_name": self.connection_name, "dns_name": self.dns_name, "accounts": self.accounts}
        )
