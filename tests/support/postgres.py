"""A PostgreSQL 18 in a container, with the roles that Cloud SQL sets up."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from support.data_stores import running

from atwork.containers.stand_ins import stand_in
from atwork.pipeline.cloud_sql import CloudSqlInstance, CloudSqlUser


@contextmanager
def cloud_sql(folder: Path, databases: Iterable[str], users: Iterable[CloudSqlUser]) -> Generator[CloudSqlInstance]:
    """An instance with databases and users, until the end."""
    with running("postgres", stand_in("postgres", Console(stderr=True)), folder) as container:
        instance = CloudSqlInstance(container, folder / "statements.log")
        instance.add(databases, users)
        yield instance
