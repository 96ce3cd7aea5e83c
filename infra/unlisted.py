"""Values of a stack file that components/google does not list: they can be newer than the lists, or mistakes."""

from __future__ import annotations

from collections.abc import Iterator

from components.google import locations, machines, sql, sql_flags
from components.google.tables import REFRESH
from infra.stack import StackConfig


def unlisted(config: StackConfig) -> Iterator[str]:
    """A line for each value that nobody checked: its key, the value, and what to do."""
    for key, value in _values(config):
        yield f"{key}: {value} is in no list of Google's values, so that it is not checked ({REFRESH})"


def _values(config: StackConfig) -> Iterator[tuple[str, str]]:
    if not locations.is_listed(config.region):
        yield "region", config.region
    for name, pool in config.node_pools.items():
        if not machines.is_listed(pool.machine_type):
            yield f"node_pools.{name}.machine_type", pool.machine_type
    for name, database in config.databases.items():
        if not sql.is_listed(database.tier):
            yield f"databases.{name}.tier", database.tier
        for flag in database.flags:
            if not sql_flags.is_listed(database.version, flag):
                yield f"databases.{name}.flags.{flag}", flag
