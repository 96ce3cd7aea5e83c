"""The programs that run SQL in Jobs, with the command that each takes. Plain data.

They connect to Cloud SQL's proxy in their pod, which logs in for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

_POSTGRES_PORT, _MYSQL_PORT = 5432, 3306


@dataclass(frozen=True)
class SqlClient:
    """A program that runs SQL, and the port where it expects the proxy."""

    name: str
    image: pulumi.Input[str]
    command: Sequence[str]
    port: int
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


def psql(statements: str, user: str, database: str, image: pulumi.Input[str]) -> SqlClient:
    """PostgreSQL's client, which runs the statements in one transaction."""
    return SqlClient(
        name="psql",
        image=image,
        command=["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", statements],
        port=_POSTGRES_PORT,
        environment={
            "PGHOST": "127.0.0.1",
            "PGPORT": str(_POSTGRES_PORT),
            "PGUSER": user,
            "PGDATABASE": database,
        },
    )


def mysql(statements: str, user: str, image: pulumi.Input[str]) -> SqlClient:
    """MySQL's client, which stops at the first error. Logins by IAM use the plugin for clear text, within TLS.

    https://docs.cloud.google.com/sql/docs/mysql/iam-logins
    """
    login = ["--host=127.0.0.1", f"--port={_MYSQL_PORT}", f"--user={user}", "--enable-cleartext-plugin"]
    return SqlClient(
        name="mysql",
        image=image,
        command=["mysql", "--no-defaults", *login, "--batch", "--execute", statements],
        port=_MYSQL_PORT,
    )
