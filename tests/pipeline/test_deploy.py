"""Deploys and preview namespaces with real tools: from a commit to a container that answers HTTP, and back.

Staging starts only pods whose image has an attestation; preview namespaces run candidates. Real, in addition to
test_run.py: Helm with the rights of the deployer, an API server with the platform's admission, the
pods of the service, its stores and its smoke test as containers, with the variables, files and ports of the chart.
Played: nodes and scheduling on them, Cloud SQL (a PostgreSQL on this machine), the network between pods (Services work,
network policies are not enforced), GitHub.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from rich.console import Console
from support import shell
from support.pipelines import Stock
from support.waiting import wait_for

from atwork.checkout import Checkout
from atwork.pipeline.opening import opened
from atwork.pipeline.repository import snapshot
from atwork.pipeline.session import PipelineSession, PlayedBuild
from atwork.pipeline.simulated_values import fill_secrets
from atwork.pipeline.workload import Workload
from atwork.pipeline.workloads import Workloads
from atwork.sandbox.clusters.blocked import BLOCKED
from atwork.sandbox.endpoints import RegistryFault
from components.type_tokens import OCCURRENCE

pytestmark = [pytest.mark.usefixtures("containers", "pipelines", "enforced"), pytest.mark.engine]


@pytest.fixture(scope="module")
def enforced(stock: Stock) -> None:
    stock.require("enforce")


def test_01_a_pull_request_runs_in_a_preview_namespace_until_its_lease_ends(stock: Stock) -> None:
    stock.replace("Jenkinsfile", "servicePipeline(", "servicePipeline(preview: true, ")
    done = shell.atwork(stock.home, "service", "run", str(stock.repository), "--pull-request=7", "--stage=deploy")
    stock.replace("Jenkinsfile", "preview: true, ", "")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Preflight → Build → Test → Chart → Preview passed" in done.stdout
    assert "[platform/stock/preview] ── Smoke test" in done.stdout
    assert re.search(
        r"runs in preview-1 of staging until \S+: https://stock-pr-7\.\w+\.staging\.example\.com", done.stdout
    )
    assert re.search(r"stock answers at http://127\.0\.0\.1:\d+ \(namespace preview-1 of staging\)", done.stdout)
    assert "preview-1 is free: the lease of pull request 7 of stock has expired" in done.stdout


@pytest.fixture(scope="module")
def session(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineSession]:
    folder = tmp_path_factory.mktemp("deploy")
    fill_secrets(stock.home, "stock")
    dockerfile = (stock.repository / "Dockerfile").read_text()
    with opened(
        Checkout(stock.home.checkout),
        stock.home,
        Console(stderr=True, soft_wrap=True),
        folder,
        dockerfile,
        deploys=True,
    ) as session:
        yield session
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def released(stock: Stock, session: PipelineSession) -> PlayedBuild:
    return session.run("stock", snapshot(stock.repository, session.folder / "first.git", ""))


def workloads(session: PipelineSession) -> Workloads:
    assert session.workloads is not None
    return session.workloads


def pod(session: PipelineSession) -> Workload:
    """The only pod of the service in staging."""
    [ready] = workloads(session).running("staging", "stock")
    return ready


def ask(session: PipelineSession, path: str, method: str = "GET") -> dict[str, str]:
    """Ask the service, through its Service."""
    address = workloads(session).address("staging", "stock", "stock")
    with urllib.request.urlopen(urllib.request.Request(f"http://{address}{path}", method=method)) as answer:
        return json.loads(answer.read())


def inside(workload: Workload, *words: str) -> str:
    """The output of a command in the container of the service."""
    process = workload.containers["service"].start(words, output=subprocess.PIPE)
    return process.communicate()[0]


def noted(pod: Mapping[str, Any]) -> Mapping[str, str]:
    """The annotations of a pod of the cluster."""
    return pod["metadata"].get("annotations") or {}


def version(build: PlayedBuild) -> str:
    match = re.search(r"stock:(\d+\.\d+\.\d+-\d+\.g[0-9a-f]{8})", build.log.read_text())
    assert match, build.log.read_text()
    return match[1]


def test_02_a_release_is_deployed_and_answers(session: PipelineSession, released: PlayedBuild) -> None:
    assert released.passed, released.log.read_text()
    assert [each.job for each in session.builds] == [
        "services/stock/main",
        "platform/stock/promote",
        "platform/stock/staging",
    ]
    deploy = session.builds[-1]
    assert deploy.passed, deploy.log.read_text()
    assert deploy.stages == ["Deploy", "Smoke test"]
    assert ask(session, "/healthz") == {"service": "stock", "version": version(released)}
    assert ask(session, "/visits", "POST") == {"visits": 1}


def test_03_the_container_has_the_variables_and_files_of_the_chart(
    session: PipelineSession, released: PlayedBuild
) -> None:
    variables = dict(line.split("=", 1) for line in inside(pod(session), "env").splitlines() if "=" in line)
    assert variables["ATWORK_ENVIRONMENT"] == "staging"
    assert variables["TMPDIR"] == "/tmp"
    assert variables["VERSION"] == version(released)
    assert len(inside(pod(session), "cat", "/run/secrets/api-key")) > 20
    assert inside(pod(session), "id", "-u").strip() == "1000"
    assert "Read-only file system" in inside(pod(session), "touch", "/app/file")


def test_04_a_deploy_without_access_to_the_cluster_changes_nothing(
    session: PipelineSession, released: PlayedBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atwork.pipeline.platform._CONNECT", "container.clusters.delete")
    refused = session.start("platform/stock/staging", {"VERSION": version(released)})
    assert refused.result is not None
    denied = r"no access to the cluster \S+ of \S+ \(HTTP 403\): .* needs container\.clusters\.connect$"
    assert re.search(denied, refused.result.failure or "")
    assert ask(session, "/healthz")["version"] == version(released)


@pytest.mark.parametrize("status", [403, 429, 500])
def test_04a_a_chart_that_cannot_be_pulled_changes_nothing(
    session: PipelineSession, released: PlayedBuild, status: int
) -> None:
    session.endpoints.faults = (RegistryFault("GET|HEAD", "/charts/stock/manifests/", status),)
    session.endpoints.save()
    refused = session.start("platform/stock/staging", {"VERSION": version(released)})
    session.endpoints.faults = ()
    session.endpoints.save()
    assert refused.result is not None
    message = refused.result.failure or ""
    assert f"response status code {status}" in message
    assert "\n" not in message
    assert ask(session, "/healthz")["version"] == version(released)


def test_05_a_failed_smoke_test_brings_the_release_before_it_back(
    stock: Stock, session: PipelineSession, released: PlayedBuild
) -> None:
    stock.replace("chart/templates/smoke-test.yaml", "/readyz", "/nothing")
    broken = session.run("stock", snapshot(stock.repository, session.folder / "second.git", ""))
    stock.replace("chart/templates/smoke-test.yaml", "/nothing", "/readyz")
    assert broken.result is not None
    failure = broken.result.failure or ""
    assert "\n" not in failure
    deploy = session.builds[-1].result
    assert deploy is not None
    assert deploy.failure is not None
    assert deploy.failure.startswith("the smoke test failed and the release before it is back")
    assert "\n" not in deploy.failure
    assert version(broken) != version(released)
    assert ask(session, "/healthz")["version"] == version(released)
    assert ask(session, "/visits") == {"visits": 1}


MIGRATION = "app/migrations/0002_more.sql"
IN_STAGING = "DO $$ BEGIN IF current_user = 'stock_owner' THEN {}; END IF; END $$;"
"""A statement that runs in the database of staging alone: the tests of the build pass."""


def migrated(stock: Stock, session: PipelineSession, name: str, statements: str) -> str:
    """Why the deploy of a version with one more migration failed."""
    (stock.repository / MIGRATION).write_text(statements)
    stock.commit()
    session.run("stock", snapshot(stock.repository, session.folder / f"{name}.git", ""))
    (stock.repository / MIGRATION).unlink()
    stock.commit()
    deploy = session.builds[-1]
    assert deploy.job == "platform/stock/staging"
    assert deploy.result is not None
    assert deploy.result.failure is not None
    assert "\n" not in deploy.result.failure
    return deploy.result.failure


def test_06_tables_belong_to_the_owner_of_the_database_whoever_creates_them(
    session: PipelineSession, released: PlayedBuild
) -> None:
    script = "from app.visits import connect; c = connect().cursor(); c.execute('{}'); print(c.fetchall())"
    ask_owner = script.format("SELECT tableowner, session_user FROM pg_tables WHERE tablename = $$visits$$")
    answer = inside(pod(session), "python", "-c", ask_owner)
    assert re.search(r"\['stock_owner', 'stock-sql@[\w-]+\.iam'\]", answer), answer


def test_07_a_failed_migration_stops_the_deploy_and_the_version_before_it_stays(
    stock: Stock, session: PipelineSession, released: PlayedBuild, capsys: pytest.CaptureFixture[str]
) -> None:
    running = pod(session).name
    failure = migrated(
        stock, session, "failed", f"ALTER TABLE visits ADD more int; {IN_STAGING.format('PERFORM * FROM nothing')}"
    )
    assert "stock-migration" in failure
    assert ask(session, "/healthz")["version"] == version(released)
    assert ask(session, "/visits") == {"visits": 1}
    assert pod(session).name == running, "the pod of the version before was not restarted"
    shown = capsys.readouterr().err
    assert re.search(r'stock/stock-migration-\w+: .*relation "nothing" does not exist', shown), shown


def test_08_a_migration_that_hangs_stops_the_deploy(
    stock: Stock, session: PipelineSession, released: PlayedBuild
) -> None:
    stock.replace("chart/values.yaml", "timeout_seconds: 300", "timeout_seconds: 6")
    failure = migrated(stock, session, "hanging", IN_STAGING.format("PERFORM pg_sleep(600)"))
    stock.replace("chart/values.yaml", "timeout_seconds: 6", "timeout_seconds: 300")
    assert "stock-migration" in failure
    assert ask(session, "/healthz")["version"] == version(released)
    assert ask(session, "/visits") == {"visits": 1}


def test_09_an_image_without_an_attestation_does_not_start(
    stock: Stock, session: PipelineSession, released: PlayedBuild
) -> None:
    """A pod of a release does not start after its attestation is deleted, and starts when the image is attested again."""
    for item in stock.cloud.objects("", OCCURRENCE):
        stock.cloud.delete("", OCCURRENCE, item.id)
    [running] = workloads(session).running("staging", "stock")
    name = running.content.pod["metadata"]["name"]
    api = running.content.api
    api.delete(api.place("v1", "Pod"), "stock", name, propagation="Background")
    blocked = wait_for(lambda: [pod for pod in api.all("/api/v1/namespaces/stock/pods") if BLOCKED in noted(pod)])
    digest = blocked[0]["spec"]["containers"][0]["image"].partition("@")[2]
    why = f"platform-releases has no attestation of {digest} with a key that it trusts"
    assert "Binary Authorization of staging does not admit it" in noted(blocked[0])[BLOCKED]
    assert why in noted(blocked[0])[BLOCKED]
    [promoted] = [
        each for each in session.builds if each.job.endswith("/promote") and each.number == released.number + 1
    ]
    again = session.start("platform/stock/promote", promoted.parameters, released)
    assert again.passed, again.log.read_text()
    wait_for(lambda: workloads(session).running("staging", "stock"))
