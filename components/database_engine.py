"""What differs between PostgreSQL and MySQL on Cloud SQL: flags of every instance and names of logins. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from components.database_flags import CIS_MYSQL_FLAGS, CIS_POSTGRES_FLAGS
from components.google.sql import Engine

DatabaseVersion = Literal[
    "POSTGRES_14", "POSTGRES_15", "POSTGRES_16", "POSTGRES_17", "POSTGRES_18", "MYSQL_8_0", "MYSQL_8_4"
]
"""Engine and major version, as Google writes them: https://cloud.google.com/sql/docs/db-versions"""

_ACCOUNT_DOMAIN = ".gserviceaccount.com"


def engine_of(version: DatabaseVersion) -> Engine:
    """The engine of a version."""
    return "MYSQL" if version.startswith("MYSQL_") else "POSTGRES"


def fixed_flags(version: DatabaseVersion) -> Mapping[str, str]:
    """Flags that every instance of a version has; a stack file cannot state them."""
    return CIS_MYSQL_FLAGS if engine_of(version) == "MYSQL" else CIS_POSTGRES_FLAGS


def lists_connection_aspects(version: DatabaseVersion) -> bool:
    """Whether `log_connections` takes a list: from PostgreSQL 18 on."""
    return engine_of(version) == "POSTGRES" and int(version.removeprefix("POSTGRES_")) >= 18


def database_user(version: DatabaseVersion, account: str) -> str:
    """The name of the `sql.User` of a service account, from its e-mail address.

    PostgreSQL's names leave the end of the address out, because they have 63 characters at most:
    https://cloud.google.com/sql/docs/postgres/add-manage-iam-users
    MySQL's API takes the complete address: https://cloud.google.com/sql/docs/mysql/add-manage-iam-users
    """
    return account if engine_of(version) == "MYSQL" else postgres_user(account)


def postgres_user(account: str) -> str:
    """The name with which a service account is known to PostgreSQL, from its e-mail address."""
    return account.removesuffix(_ACCOUNT_DOMAIN)


def login_name(version: DatabaseVersion, account: str) -> str:
    """The name with which a service account logs in, from its e-mail address.

    MySQL keeps what is before the @: https://cloud.google.com/sql/docs/mysql/iam-logins
    """
    return account.partition("@")[0] if engine_of(version) == "MYSQL" else database_user(version, account)
