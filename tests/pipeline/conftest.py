"""A sandbox with Jenkins and staging on real clusters, and the repository of a new service, for all pipelines."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from support import shell
from support.checkout import copy
from support.pipelines import Stock

from atwork.sandbox.clusters.running import fleet_of
from atwork.sandbox.home import Home


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    folder = tmp_path_factory.mktemp("pipeline")
    home = Home(copy(folder / "checkout", "infra", "policies", "delivery"))
    repository = folder / "stock"
    words = ["--repo", "https://github.com/acme/stock", "--owner", "team-stock", "--into", str(repository)]
    stores = ["--stores", "postgres,redis", "--secrets", "api-key"]
    up = ["sandbox", "up", "ci", "staging", "--clusters", "real"]
    try:
        for command in (["service", "new", "stock", *words, *stores], up):
            done = shell.atwork(home, *command)
            assert done.returncode == 0, done.stdout + done.stderr
        stock = Stock(home, repository)
        stock.commit("init", "--quiet", "--initial-branch=main")
        yield stock
    finally:
        fleet = fleet_of(home)
        if fleet is not None:
            fleet.stop()
        shutil.rmtree(folder, ignore_errors=True)
