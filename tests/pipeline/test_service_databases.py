"""Which database a service gets on this machine, without starting one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from subprocess import Popen
from types import SimpleNamespace
from typing import cast

import pytest

from atwork.containers.container import Container
from atwork.containers.images import ImageStore
from atwork.errors import SandboxError
from atwork.pipeline import service_databases
from atwork.pipeline.service_databases import ServiceDatabases
from atwork.pipeline.service_stores import RunningStore
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.cloud.objects import CloudObject
from atwork.sandbox.clusters.api import Api
from components.type_tokens import DATABASE_INSTANCE

FACTS = {"DATABASE_INSTANCE": "acme:europe-west1:main-1", "DATABASE_NAME": "stock", "DATABASE_USER": "stock-sql@a.iam"}
NO_API = cast("Api", None)


@pytest.fixture
def databases(tmp_path: Path) -> ServiceDatabases:
    return ServiceDatabases(
        {}, Cloud(tmp_path / "cloud.db"), ImageStore(Path("crane"), tmp_path).puller({}), tmp_path / "cloud-sql"
    )


def test_a_service_with_a_database_reaches_it_as_its_own_user(databases: ServiceDatabases) -> None:
    assert databases.variables(FACTS) == {"DATABASE_URL": "postgresql://stock-sql%40a.iam@cloud-sql:5432/stock"}
    assert databases.variables({}) == databases.variables(FACTS | {"DATABASE_URL": "postgresql://other/db"}) == {}


def test_each_container_is_prepared_once_also_if_it_has_the_process_number_of_an_earlier_one(
    databases: ServiceDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres = CloudObject("", DATABASE_INSTANCE, "main-1", "", {"databaseVersion": "POSTGRES_18"}, {})
    databases.cloud.create(postgres, set())
    added: list[str] = []

    class Recorder:
        def __init__(self, *_: object) -> None:
            pass

        def add(self, *_: object) -> None:
            added.append("")

    def connected(_: ServiceDatabases, name: str, port: int, prepare: Callable[[RunningStore], None]) -> None:
        assert (name, port) == ("acme-europe-west1-main-1", 5432)
        prepare(running)

    monkeypatch.setattr(service_databases, "CloudSqlInstance", Recorder)
    monkeypatch.setattr(ServiceDatabases, "connected", connected)
    api = cast("Api", SimpleNamespace(all=lambda *_, **__: []))
    for expected in (1, 2):
        container = cast("Container", SimpleNamespace(inside=SimpleNamespace(pid=7)))
        running = RunningStore(container, cast("Popen[str]", None), Path("folder"), ExitStack())
        for _ in range(2):
            databases.connect(api, FACTS["DATABASE_INSTANCE"])
        assert len(added) == expected


def test_a_database_that_this_machine_cannot_run_is_one_clear_error(databases: ServiceDatabases) -> None:
    [neighbor] = databases.neighbors(NO_API, FACTS)
    with pytest.raises(SandboxError, match="acme:europe-west1:main-1: no such Cloud SQL instance in the sandbox"):
        neighbor.ports[5432]()
    mysql = CloudObject("", DATABASE_INSTANCE, "main-1", "", {"databaseVersion": "MYSQL_8_4"}, {})
    databases.cloud.create(mysql, set())
    with pytest.raises(SandboxError, match="main-1 is of MYSQL_8_4, and this machine has only PostgreSQL"):
        neighbor.ports[5432]()
