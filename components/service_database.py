"""A database of one service in an instance that another stack owns, and the service's login.

Owns: the database, the service account that the service's pods act as, its rights and its user in the instance.
Does not own: the instance (components/database.py).

Traps: the database and the user stay when the service is removed, so that no data is lost; `atwork environment adopt`
takes them back.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from components.database_engine import DatabaseVersion
from components.database_login import DatabaseUserSettings, workload_login


class ServiceDatabase(pulumi.ComponentResource):
    """The database and the login of one service.

    `others` are names of the component if the database is in other instances, from which the login may come.
    """

    account: pulumi.Output[str]
    """E-mail address of the service account that the service's pods act as."""

    def __init__(
        self,
        name: str,
        settings: DatabaseUserSettings,
        *,
        database: str,
        account_id: str,
        instance: pulumi.Input[str],
        version: DatabaseVersion,
        project_id: pulumi.Input[str],
        workload_pool: pulumi.Input[str],
        others: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:service_database:ServiceDatabase", name, {}, opts)
        gcp.sql.Database(
            f"{name}-database",
            name=database,
            instance=instance,
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        self.account = workload_login(
            name,
            account_id,
            settings,
            instance=instance,
            version=version,
            project_id=project_id,
            workload_pool=workload_pool,
            parent=self,
            elsewhere={other: other for other in others},
        )
        self.register_outputs({"account": self.account})
