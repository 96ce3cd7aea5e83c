"""The rights of a service in its database: Jobs that run once, and again after a change.

Owns: the Jobs. Does not own: database, login and instance (components/service_database.py, components/database.py), the
administrator (components/database_administrator.py), the SQL (components/postgres_rights.py and mysql_rights.py).

Traps: the second Job runs in the service's namespace as the service, because PostgreSQL lets only a login itself choose
its role at login; it is allowed nothing that the service is not. MySQL needs none. Databases, roles and rights remain
when a service is removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components import mysql_rights
from components.database_administrator import ACCOUNT, NAMESPACE, account_email
from components.database_engine import DatabaseVersion, engine_of, login_name
from components.database_job import JobImages, JobLogin, rights_job
from components.postgres_rights import DatabaseRoles, administrator_statements, login_statements
from components.sql_client import SqlClient, mysql, psql

LOGIN_JOB = "database-login"
"""Name of the Job in the service's namespace."""


@dataclass(frozen=True)
class ServiceDatabaseRefs:
    """The database of a service, and the groups of people with rights in it."""

    instance: pulumi.Input[str]
    """Connection name `PROJECT:REGION:INSTANCE`."""
    name: str
    user: str
    """Name with which the service logs in."""
    version: DatabaseVersion
    """Of the instance."""
    writers: Sequence[str]
    readers: Sequence[str]


class ServiceRights(pulumi.ComponentResource):
    """The login of a service owns all objects of its database; groups of people read or write them.

    `after` are the namespace, the database and all users in the instance.
    """

    roles: dict[str, str]
    """The roles of a database of PostgreSQL: owner, writer and reader; MySQL needs none."""

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
        clients = _clients(database, project_id, images)
        # One name for both engines: a service that moves to an instance of the other gets another Job in its place.
        roles = rights_job(
            f"{name}-roles",
            clients.administrator,
            physical_name=service,
            login=JobLogin(NAMESPACE, ACCOUNT),
            instance=database.instance,
            proxy_image=images.proxy,
            parent=self,
            after=after,
        )
        if clients.login is not None:
            rights_job(
                f"{name}-login",
                clients.login,
                physical_name=LOGIN_JOB,
                login=JobLogin(namespace, service),
                instance=database.instance,
                proxy_image=images.proxy,
                parent=self,
                after=[roles],
            )
        self.roles = clients.roles
        self.register_outputs({"roles": self.roles})


@dataclass(frozen=True)
class _Clients:
    """What the Jobs run: as the administrator, and as the service where the engine needs that."""

    administrator: SqlClient
    login: SqlClient | None
    roles: dict[str, str]


def _clients(database: ServiceDatabaseRefs, project_id: str, images: JobImages) -> _Clients:
    name, user, groups = database.name, database.user, (database.writers, database.readers)
    administrator = login_name(database.version, account_email(project_id))
    if engine_of(database.version) == "MYSQL":
        return _Clients(mysql(mysql_rights.statements(name, user, *groups), administrator, images.mysql), None, {})
    return _Clients(
        psql(administrator_statements(name, [user], *groups), administrator, name, images.psql),
        psql(login_statements(name), user, name, images.psql),
        dict(vars(DatabaseRoles.of(name))),
    )
