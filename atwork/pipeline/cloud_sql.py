"""A PostgreSQL of this machine with the roles, databases and users of a Cloud SQL instance.

The roles are those that `\\du` lists in an instance, as far as the rights of services depend on them: a superuser that
no customer can be, `cloudsqlsuperuser`, which owns all databases, and users with the role of their type alone.
https://docs.cloud.google.com/sql/docs/postgres/users
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from atwork.containers.container import Container
from atwork.errors import SandboxError
from components.postgres_rights import ADMINISTRATOR_ROLE

_SUPERUSER = "postgres"
"""The superuser of the image; Cloud SQL's is `cloudsqladmin`, and its `postgres` is no superuser."""

_SETUP = f"""
CREATE ROLE cloudsqliamuser NOLOGIN;
CREATE ROLE cloudsqliamserviceaccount NOLOGIN;
CREATE ROLE cloudsqliamgroup NOLOGIN;
CREATE ROLE {ADMINISTRATOR_ROLE} NOLOGIN CREATEROLE CREATEDB;
GRANT pg_monitor, pg_signal_backend TO {ADMINISTRATOR_ROLE};
ALTER DATABASE postgres OWNER TO {ADMINISTRATOR_ROLE};
"""
_KINDS: Mapping[str, str] = {
    "CLOUD_IAM_USER": "cloudsqliamuser",
    "CLOUD_IAM_SERVICE_ACCOUNT": "cloudsqliamserviceaccount",
    "CLOUD_IAM_GROUP": "cloudsqliamgroup",
}
"""The role that users of a type get."""


@dataclass(frozen=True)
class CloudSqlUser:
    """A user as Cloud SQL's API creates it."""

    name: str
    type: str = "CLOUD_IAM_SERVICE_ACCOUNT"
    roles: tuple[str, ...] = ()
    """`database_roles`."""


@dataclass(frozen=True)
class CloudSqlInstance:
    """A running server, in its container; it trusts every user that connects, as after a login by IAM."""

    container: Container
    log: Path

    def add(self, databases: Iterable[str], users: Iterable[CloudSqlUser]) -> None:
        """Create the roles of Cloud SQL, the databases and the users that the server does not have yet."""
        known = self.run(_SUPERUSER, "postgres", "SELECT rolname FROM pg_roles").splitlines()
        statements = [] if ADMINISTRATOR_ROLE in known else [_SETUP]
        for user in users:
            roles = [*([_KINDS[user.type]] if user.type in _KINDS else []), *user.roles]
            statements += [] if user.name in known else [f"CREATE ROLE {_identifier(user.name)} LOGIN;"]
            statements += [f"GRANT {', '.join(roles)} TO {_identifier(user.name)};"] if roles else []
        if statements:
            self.run(_SUPERUSER, "postgres", "\n".join(statements))
        known = self.run(_SUPERUSER, "postgres", "SELECT datname FROM pg_database").splitlines()
        for database in databases:
            if database not in known:
                self.run(_SUPERUSER, "postgres", f"CREATE DATABASE {_identifier(database)} OWNER {ADMINISTRATOR_ROLE}")

    def run(self, user: str, database: str, statements: str) -> str:
        """Run statements in one transaction, and return the rows; `SandboxError` has the server's message."""
        command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
        return self.execute(
            [*command, "--command", statements],
            {"PGHOST": "127.0.0.1", "PGUSER": user, "PGDATABASE": database},
        )

    def execute(self, command: list[str], variables: Mapping[str, str]) -> str:
        """Run a command in the container with more variables, as a Job does next to the proxy; returns its output."""
        words = ["env", *(f"{key}={value}" for key, value in variables.items()), *command]
        process = self.container.start(words, output=subprocess.PIPE)
        output = process.communicate()[0]
        with self.log.open("a") as log:
            log.write(output)
        if process.returncode:
            raise SandboxError(output.strip())
        return output.strip()


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
