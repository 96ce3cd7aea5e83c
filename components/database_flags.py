"""Database flags of Cloud SQL: those that every instance has, and what they may say. Plain data."""

from __future__ import annotations

from collections.abc import Mapping

CIS_POSTGRES_FLAGS: Mapping[str, str] = {
    "cloudsql.enable_pgaudit": "on",  # CIS GCP 6.2.8
    "cloudsql.iam_authentication": "on",
    "log_checkpoints": "on",
    "log_connections": "on",  # CIS GCP 6.2.2
    "log_disconnections": "on",  # CIS GCP 6.2.3
    "log_lock_waits": "on",
    "log_min_duration_statement": "-1",  # CIS GCP 6.2.7: statements may hold personal data
    "log_min_error_statement": "error",  # CIS GCP 6.2.6
    "log_min_messages": "warning",  # CIS GCP 6.2.5
    "log_statement": "ddl",  # CIS GCP 6.2.4
    "log_temp_files": "0",
}
"""Flags that every instance of PostgreSQL has; a stack file may add others but not these."""

CIS_MYSQL_FLAGS: Mapping[str, str] = {
    "cloudsql_iam_authentication": "on",
    "local_infile": "off",  # CIS GCP 6.1.3
    "skip_show_database": "on",  # CIS GCP 6.1.2
}
"""Flags that every instance of MySQL has; a stack file may add others but not these."""


def logs_connections(value: str) -> bool:
    """Whether `log_connections` logs every attempt and login (CIS GCP 6.2.2).

    A boolean up to PostgreSQL 17. From 18 on a list, in which `on` stands for the three aspects that it always logged
    and `all` for these and the time they took:
    https://www.postgresql.org/docs/18/runtime-config-logging.html#GUC-LOG-CONNECTIONS
    """
    aspects = {aspect.strip().lower() for aspect in value.split(",")}
    return aspects >= {"receipt", "authentication", "authorization"} or aspects in ({"on"}, {"all"})
