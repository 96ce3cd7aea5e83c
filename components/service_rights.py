"""The rights of a service in its database: two Jobs that run once, and again after a change.

Owns: the Jobs. Does not own: database, login and instance (components/service_database.py, components/database.py), the
administrator (components/database_administrator.py), the SQL (components/postgres_rights.py).

Traps: the second Job runs in the service's namespace as the service, because PostgreSQL lets only a login itself choose
its role at login; it is allowed nothing that the service is not. Databases and roles remain when a service is removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.database_administrator import ACCOUNT, NAMESPACE, administrator
from components.database_job import JobImages, JobLogin, rights_job
from components.postgres_rights import DatabaseRoles, administrator_statements, login_statements

LOGIN_JOB = "database-login"
"""Name of the Job in the service's namespace."""


@dataclass(frozen=True)
class ServiceDatabaseRefs:
    """The database of a service, and the groups of people with rights in it."""

    instance: pulumi.Input[str]
    """Connection name `PROJECT:REGION:INSTANCE`."""
    name: str
    user: str
    """User of the service in the instance."""
    writers: Sequence[str]
    readers: Sequence[str]


class ServiceRights(pulumi.ComponentResource):
    """The login of a service owns all objects of its database; groups of people read or write them.

    `after` are the namespace, the database and all users in the instance.
    """

    roles: dict[str, str]
    """The roles of the database: owner, writer and reader."""

    def __init__(
        self,
        name: str,
        database: ServiceDatabaseRefs,
        *,
        service: str,
        namespace: pulumi.Input[str],
        project_id: str,
        images: JobImages,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:service_rights:ServiceRights", name, {}, opts)
        roles = rights_job(
            f"{name}-roles",
            administrator_statements(database.name, [database.user], database.writers, database.readers),
            physical_name=service,
            login=JobLogin(NAMESPACE, ACCOUNT, administrator(project_id)),
            instance=database.instance,
            database=database.name,
            images=images,
            parent=self,
            after=after,
        )
        rights_job(
            f"{name}-login",
            login_statements(database.name),
            physical_name=LOGIN_JOB,
            login=JobLogin(namespace, service, database.user),
            instance=database.instance,
            database=database.name,
            images=images,
            parent=self,
            after=[roles],
        )
        self.roles = dict(vars(DatabaseRoles.of(database.name)))
        self.register_outputs({"roles": self.roles})
