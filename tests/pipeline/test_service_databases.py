"""Which database a service gets on this machine, without starting one."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from atwork.containers.images import ImageStore
from atwork.errors import SandboxError
from atwork.pipeline.service_databases import ServiceDatabases
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


def test_a_database_that_this_machine_cannot_run_is_one_clear_error(databases: ServiceDatabases) -> None:
    [neighbor] = databases.neighbors(NO_API, FACTS)
    with pytest.raises(SandboxError, match="acme:europe-west1:main-1: no such Cloud SQL instance in the sandbox"):
        neighbor.ports[5432]()
    mysql = CloudObject("", DATABASE_INSTANCE, "main-1", "", {"databaseVersion": "MYSQL_8_4"}, {})
    databases.cloud.create(mysql, set())
    with pytest.raises(SandboxError, match="main-1 is of MYSQL_8_4, and this machine has only PostgreSQL"):
        neighbor.ports[5432]()
