"""Whether Cloud SQL accepts the flags of the databases in their versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from atwork.environments.bootstrap.google import Google
from atwork.environments.preflight.check import Check, ask
from components.database_engine import fixed_flags
from infra.stack import StackConfig

NAMES = ("database flags",)
FLAGS = "https://sqladmin.googleapis.com/v1/flags"
"""https://cloud.google.com/sql/docs/postgres/admin-api/rest/v1/flags/list"""


def checks(google: Google, config: StackConfig) -> Iterator[Check]:
    """Check the flags of each version; Cloud SQL refuses an instance with an unknown flag."""
    if config.databases:
        yield ask(NAMES[0], "ask for roles/cloudsql.viewer on the admin project", lambda: _flags(google, config))


def _flags(google: Google, config: StackConfig) -> Check:
    offered: dict[str, dict[str, Any]] = {}
    refused: list[str] = []
    for name, database in config.databases.items():
        if database.version not in offered:
            items = google.call("GET", FLAGS, params={"databaseVersion": database.version}).get("items", [])
            offered[database.version] = {str(item["name"]): item for item in items}
        sets = {name: {**fixed_flags(database.version), **database.flags}}
        sets |= {f"{name}.replicas.{key}": replica.flags for key, replica in database.replicas.items()}
        for where, flags in sets.items():
            for flag, value in flags.items():
                why = _refused(offered[database.version].get(flag), value)
                refused += [f"databases.{where}: {flag} {why} with {database.version}"] if why else []
    fix = "choose another version, or correct databases.NAME.flags" if refused else ""
    return Check(NAMES[0], not refused, "; ".join(refused) or f"accepted by {', '.join(sorted(offered))}", fix)


def _refused(flag: Mapping[str, Any] | None, value: str) -> str:
    """Why Cloud SQL would refuse a value; "" if it accepts it."""
    if flag is None:
        return "is not offered"
    allowed = ["on", "off"] if flag.get("type") == "BOOLEAN" else flag.get("allowedStringValues") or []
    if allowed and value not in allowed:
        return f"accepts {', '.join(allowed)}, not {value},"
    return ""
