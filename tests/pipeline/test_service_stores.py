"""Stores that services share: a PostgreSQL that ends, is started again, and is deleted."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console

from atwork.containers.images import ImageStore, Unpacked
from atwork.containers.stand_ins import stand_in
from atwork.pipeline.cloud_sql import CloudSqlInstance, CloudSqlUser
from atwork.pipeline.service_stores import RunningStore, ServiceStores
from atwork.sandbox.cloud import Cloud
from components.jenkins.stores import STORES, sidecar

pytestmark = [pytest.mark.usefixtures("containers"), pytest.mark.engine]

USER = CloudSqlUser("stock-sql@acme.iam", roles=("pg_monitor",))


@dataclass
class Databases(ServiceStores):
    """Instances whose names the test chooses."""

    names: set[str] = field(default_factory=lambda: {"main"})
    rows: list[str] = field(default_factory=list[str])
    containers: list[RunningStore] = field(default_factory=list[RunningStore])

    def existing(self) -> set[str]:
        return self.names

    def visit(self) -> list[str]:
        """Connect to the instance, add a row, and return all rows."""

        def prepare(running: RunningStore) -> None:
            instance = CloudSqlInstance(running.container, running.folder / "statements.log")
            for _ in range(2):  # what is there stays as it is
                instance.add(["stock"], [USER])
            instance.run("postgres", "stock", "CREATE TABLE IF NOT EXISTS visits (number int)")
            instance.run("postgres", "stock", "INSERT INTO visits SELECT count(*) FROM visits")
            self.rows = instance.run("postgres", "stock", "SELECT number FROM visits ORDER BY number").splitlines()
            self.containers.append(running)

        self.connected("main", STORES["postgres"].port, prepare).close()
        return self.rows


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[Databases]:
    with closing(new(tmp_path)) as databases:
        yield databases


def new(folder: Path) -> Databases:
    [settings] = sidecar("postgres", "postgres")["initContainers"]
    images = folder / "images"
    images.mkdir(exist_ok=True)

    def pull(_: str) -> Unpacked:
        return ImageStore(Path("crane"), images).unpacked(stand_in("postgres", Console(stderr=True)))

    return Databases(settings, Cloud(folder / "cloud.sqlite"), pull, folder / "stores", keeps_data=True)


def test_data_outlives_the_container_and_the_program_until_the_instance_is_deleted(
    databases: Databases, tmp_path: Path
) -> None:
    assert databases.visit() == ["0"]
    [first] = databases.containers
    os.kill(first.container.inside.pid, signal.SIGKILL)
    first.process.wait(60)
    assert databases.visit() == ["0", "1"]
    assert databases.containers[1] is not first
    databases.close()
    assert [path.name for path in (tmp_path / "stores" / "main").iterdir() if path.is_dir()] == ["volume-postgres-0"]
    with closing(new(tmp_path)) as later:
        assert later.visit() == ["0", "1", "2"]
        later.delete_missing()
        assert later.visit() == ["0", "1", "2", "3"]
        later.names = set()
        later.delete_missing()
        assert [*(tmp_path / "stores").iterdir()] == []
        later.names = {"main"}
        assert later.visit() == ["0"]
