"""A service on a real node: deployed by its pipeline, pulled with the rights of the node, answering, kept."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace

import pytest
from support import shell
from support.pipelines import Stock, sandbox

from atwork.errors import UsageError
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.credentials import NODE
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.clusters.running import fleet_of
from atwork.sandbox.open_service import opened

GRANT = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"

pytestmark = [pytest.mark.usefixtures("containers", "pipelines"), pytest.mark.engine]


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    """A service without stores and secrets, next to one with stores for previews."""
    folder = tmp_path_factory.mktemp("nodes")
    with sandbox(folder, "web", (), ("--nodes", "real")) as web:
        stores = ("--stores", "postgres,redis", "--into", str(folder / "stock"), "--owner", "team-stock")
        shell.run(web.home, "service", "new", "stock", "--repo", "https://github.com/acme/stock", *stores)
        stock = replace(web, repository=folder / "stock")
        stock.commit("init", "--quiet", "--initial-branch=main")
        stock.replace("Jenkinsfile", "servicePipeline(", "servicePipeline(preview: true, ")
        yield web


def fleet(web: Stock) -> Fleet:
    clusters = fleet_of(web.home)
    assert clusters is not None
    return clusters


def staging(web: Stock) -> Api:
    cluster = fleet(web).of("staging")
    assert cluster is not None
    return Api(fleet(web).kubeconfig(cluster))


def test_00_a_full_disk_of_images_is_one_line(web: Stock) -> None:
    images = str(fleet(web).registry.folder / "blobs")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", images], check=True)
    try:
        done = shell.atwork(web.home, "service", "run", str(web.repository), "--stage=build")
    finally:
        subprocess.run(["umount", images], check=True)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert "no space left on device" in line.lower()


def test_01_a_service_without_stores_is_deployed_to_the_node_and_answers(web: Stock) -> None:
    web.require("log")
    done = shell.atwork(web.home, "service", "run", str(web.repository), "--stage=deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[platform/web/staging] ── Smoke test" in done.stdout
    assert "`atwork sandbox open web --environment staging` prints an address at any time" in done.stdout
    events = staging(web).all("/api/v1/namespaces/web/events", fieldSelector="involvedObject.name=web-smoke-test")
    assert f"Successfully assigned web/web-smoke-test to {NODE}" in [each["message"] for each in events]
    [pod] = staging(web).all("/api/v1/namespaces/web/pods")
    assert pod["spec"]["nodeName"] == NODE
    with opened(fleet(web), "web") as address, urllib.request.urlopen(f"http://{address}/readyz") as answer:
        assert json.loads(answer.read()) == {"ready": True}


def test_01a_a_build_of_a_pull_request_runs_on_the_node_next_to_its_stores(web: Stock) -> None:
    """Its migration, its stores and its smoke test, too."""
    repository = web.repository.with_name("stock")
    done = shell.atwork(web.home, "service", "run", str(repository), "--pull-request=7", "--stage=deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Preflight → Build → Test → Chart → Preview passed" in done.stdout
    events = staging(web).all("/api/v1/namespaces/preview-1/events", fieldSelector="reason=Scheduled")
    placed = {each["involvedObject"]["name"] for each in events if each["message"].endswith(f" to {NODE}")}
    assert len(placed) == len(events)
    for part in ("postgres", "redis", "stock", "migration", "smoke-test"):
        assert any(part in name for name in placed), placed


def test_02_open_says_where_a_service_is_missing(web: Stock) -> None:
    absent = pytest.raises(UsageError, match="nothing: not found in the namespace nothing of any")
    with absent, opened(fleet(web), "nothing"):
        pass
    unknown = pytest.raises(UsageError, match="--environment elsewhere: no environment with a real cluster")
    with unknown, opened(fleet(web), "web", "elsewhere"):
        pass


def test_03_the_node_pulls_with_the_rights_of_its_account(web: Stock) -> None:
    grants = [item for item in web.cloud.objects("", GRANT) if "staging-nodes@" in item.inputs["member"]]
    [services] = [key for key in rights(web) if key.endswith("/services")]
    assert rights(web)[services] == ["artifactregistry.repositories.downloadArtifacts"]
    for grant in grants:
        web.cloud.delete("", GRANT, grant.id)
    try:
        assert not any(rights(web).values())
    finally:
        for grant in grants:
            web.cloud.create(grant, set())


def rights(web: Stock) -> dict[str, list[str]]:
    """What the node of staging may do, as the registry asks for each pull."""
    cluster = fleet(web).of("staging")
    assert cluster is not None
    words = [sys.executable, "-P", "-m", "atwork.sandbox.node_rights", str(web.home.checkout), cluster.identity]
    return json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)["registry"]
