"""A service on a real node: deployed by its pipeline, pulled with the rights of the node, answering, kept."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request

import pytest
from support import shell
from support.pipelines import Stock

from atwork.errors import UsageError
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.credentials import NODE
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.clusters.running import fleet_of
from atwork.sandbox.open_service import opened

GRANT = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"

pytestmark = [pytest.mark.usefixtures("containers", "pipelines"), pytest.mark.engine]


def fleet(stock: Stock) -> Fleet:
    clusters = fleet_of(stock.home)
    assert clusters is not None
    return clusters


def staging(stock: Stock) -> Api:
    cluster = fleet(stock).of("staging")
    assert cluster is not None
    return Api(fleet(stock).kubeconfig(cluster))


def test_01_a_service_without_stores_is_deployed_to_the_node_and_answers(stock: Stock) -> None:
    stock.require("log")
    Stock(stock.home, stock.web).commit("init", "--quiet", "--initial-branch=main")
    done = shell.atwork(stock.home, "service", "run", str(stock.web), "--stage=deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[platform/web/staging] ── Smoke test" in done.stdout
    assert "`atwork sandbox open web --environment staging` prints an address at any time" in done.stdout
    [pod] = staging(stock).all("/api/v1/namespaces/web/pods")
    assert pod["spec"]["nodeName"] == NODE
    with opened(fleet(stock), "web") as address, urllib.request.urlopen(f"http://{address}/readyz") as answer:
        assert json.loads(answer.read()) == {"ready": True}


def test_02_open_says_where_a_service_is_missing(stock: Stock) -> None:
    absent = pytest.raises(UsageError, match="nothing: not found in the namespace nothing of any")
    with absent, opened(fleet(stock), "nothing"):
        pass
    unknown = pytest.raises(UsageError, match="--environment elsewhere: no environment with a real cluster")
    with unknown, opened(fleet(stock), "web", "elsewhere"):
        pass


def test_03_the_node_pulls_with_the_rights_of_its_account(stock: Stock) -> None:
    grants = [item for item in stock.cloud.objects("", GRANT) if "staging-nodes@" in item.inputs["member"]]
    [services] = [key for key in rights(stock) if key.endswith("/services")]
    assert rights(stock)[services] == ["artifactregistry.repositories.downloadArtifacts"]
    for grant in grants:
        stock.cloud.delete("", GRANT, grant.id)
    try:
        assert not any(rights(stock).values())
    finally:
        for grant in grants:
            stock.cloud.create(grant, set())


def rights(stock: Stock) -> dict[str, list[str]]:
    """What the node of staging may do, as the registry asks for each pull."""
    cluster = fleet(stock).of("staging")
    assert cluster is not None
    words = [sys.executable, "-P", "-m", "atwork.sandbox.node_rights", str(stock.home.checkout), cluster.identity]
    return json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)["registry"]
