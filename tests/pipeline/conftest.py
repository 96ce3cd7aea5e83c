"""A sandbox with Jenkins and staging on real clusters and nodes, and the repositories of two services, for all pipelines.

Releases are signed, and staging trusts the public key of ci. Whether it requires attestations, each module says
(`Stock.require`): modules may run in the same sandbox, in any order.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from support.checkout import copy
from support.pipelines import Stock
from support.shell import run

from atwork.sandbox.clusters.running import fleet_of
from atwork.sandbox.home import Home


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    folder = tmp_path_factory.mktemp("pipeline")
    home = Home(copy(folder / "checkout", "infra", "policies", "delivery"))
    repository = folder / "stock"
    words = ["--repo", "https://github.com/acme/stock", "--owner", "team-stock", "--into", str(repository)]
    stores = ["--stores", "postgres,redis", "--secrets", "api-key"]
    try:
        run(home, "service", "new", "stock", *words, *stores)
        words = ["--repo", "https://github.com/acme/web", "--owner", "team-web", "--into", str(folder / "web")]
        run(home, "service", "new", "web", *words)
        ci = home.project.stacks / "Pulumi.ci.yaml"
        ci.write_text(f"{ci.read_text().rstrip()}\n    release_signing: {{}}\n")
        run(home, "sandbox", "up", "ci", "--nodes", "real")
        stock = Stock(home, repository)
        block = "".join(f"          {line}\n" for line in stock.public_key().splitlines())
        trusted = f'release_signing:\n      public_keys:\n        "1": |\n{block}'
        ci.write_text(ci.read_text().replace("release_signing: {}\n", trusted))
        stock.commit("init", "--quiet", "--initial-branch=main")
        yield stock
    finally:
        fleet = fleet_of(home)
        if fleet is not None:
            fleet.stop()
        shutil.rmtree(folder, ignore_errors=True)
