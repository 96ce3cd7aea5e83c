"""The pipeline of a new service with real tools: from a commit to a released image and chart.

Real: git, BuildKit, the image with its tests, PostgreSQL, Redis, crane, Helm, the shared library under Jenkins' own
transformation, and the rights in the registry, which are the IAM grants of the simulated cloud. Played: Jenkins, the
metadata server and gcloud, the pods themselves (placement, spot nodes, limits), Docker Hub (images from Debian packages).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

import psutil
import pytest
import yaml
from rich.console import Console
from support import shell
from support.pipelines import Stock

from atwork.access import principals
from atwork.checkout import Checkout
from atwork.pipeline.endpoints import RegistryFault, TokenHolder
from atwork.pipeline.opening import opened
from atwork.pipeline.run import snapshot
from atwork.pipeline.session import PipelineSession, PlayedBuild, Source
from atwork.pipeline.tools import write_login
from atwork.sandbox.home import Home

pytestmark = [pytest.mark.usefixtures("containers", "pipelines"), pytest.mark.engine]
AGENT = "[jenkins-agents/jenkins-agent]"


@dataclass(frozen=True)
class Run:
    """A session, the repository of the service, and its first build."""

    session: PipelineSession
    home: Home
    repository: Path
    source: Source
    released: PlayedBuild

    def crane(self, *words: str) -> subprocess.CompletedProcess[str]:
        """crane, as somebody who may read everything."""
        endpoints = self.session.endpoints
        readable = {
            key: ["artifactregistry.repositories.downloadArtifacts"] for key in self.session.platform.repositories
        }
        endpoints.holders["reader"] = TokenHolder("user:reader@example.com", readable)
        endpoints.save()
        login = write_login(self.session.folder / "reader", endpoints.registry, "reader")
        environment = {**os.environ, **endpoints.environment(), "DOCKER_CONFIG": str(login)}
        command = [str(self.session.toolbox.crane), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def digest(self, repository: str, name: str) -> str:
        """The digest of a tag, empty if it does not exist; `repository` is a variable of builds."""
        return self.crane("digest", f"{self.session.platform.environment[repository]}/{name}").stdout.strip()

    def play(self, source: Source | None = None) -> PlayedBuild:
        """Another build, to the same stage."""
        return self.session.run("stock", source or self.source)


def version(build: PlayedBuild) -> str:
    match = re.search(r"stock:(\d+\.\d+\.\d+-\d+\.g[0-9a-f]{8})", build.log.read_text())
    assert match, build.log.read_text()
    return match[1]


def failure(build: PlayedBuild) -> str:
    """The message of a build that failed; one line."""
    assert build.result is not None
    assert build.result.failure is not None
    assert "\n" not in build.result.failure
    return build.result.failure


@pytest.fixture(scope="module")
def run(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("run")
    source = snapshot(stock.repository, folder / "stock.git", "")
    dockerfile = (stock.repository / "Dockerfile").read_text()
    with opened(
        Checkout(stock.home.checkout), stock.home, Console(stderr=True, soft_wrap=True), folder / "run", dockerfile
    ) as session:
        session.last_stage = "Promote"
        yield Run(session, stock.home, stock.repository, source, session.run("stock", source))
    assert not (folder / "run" / "endpoints" / "blobs").exists()
    assert [path for path in folder.rglob("images") if path.is_dir()] == []  # root file systems
    shutil.rmtree(folder)


def test_01_a_commit_is_built_tested_and_released(run: Run) -> None:
    build = run.released
    assert build.stopped_as_asked, build.log.read_text()
    assert build.stages == ["Preflight", "Build", "Test", "Chart", "Promote"]
    log = build.log.read_text()
    assert "5 tests, 0 failed" in log  # one of them reads and writes both stores
    name = f"stock:{version(build)}"
    assert run.digest("SERVICES", name) == run.digest("CANDIDATES", name) != ""
    assert run.digest("CHARTS", name)
    assert [each.job for each in run.session.builds] == ["services/stock/main", "platform/stock/promote"]


def test_02_the_released_chart_names_the_released_image_by_digest(run: Run, tmp_path: Path) -> None:
    name = f"stock:{version(run.released)}"
    environment = run.session.platform.environment
    manifest = json.loads(run.crane("manifest", f"{environment['CHARTS']}/{name}").stdout)
    archive = tmp_path / "chart.tgz"
    endpoints = {
        **os.environ,
        **run.session.endpoints.environment(),
        "DOCKER_CONFIG": str(run.session.folder / "reader"),
    }
    with archive.open("wb") as output:
        layer = f"{environment['CHARTS']}/stock@{manifest['layers'][0]['digest']}"
        subprocess.run([str(run.session.toolbox.crane), "blob", layer], env=endpoints, stdout=output, check=True)
    shown = subprocess.run(
        [str(run.session.toolbox.helm), "show", "values", str(archive)], capture_output=True, text=True, check=True
    )
    image = {"repository": f"{environment['SERVICES']}/stock", "digest": run.digest("SERVICES", name)}
    assert yaml.safe_load(shown.stdout)["image"] == image


def test_03_a_build_of_a_pull_request_releases_nothing(run: Run) -> None:
    build = run.play(replace(run.source, pull_request="7"))
    assert build.result is not None
    assert build.result.result == "SUCCESS", build.log.read_text()
    assert build.stages == ["Preflight", "Build", "Test"]
    assert not run.digest("SERVICES", f"stock:{version(build)}")
    candidate = {"VERSION": version(build), "IMAGE": f"sha256:{'a' * 64}", "CHART": f"sha256:{'a' * 64}"}
    refused = run.session.start("platform/stock/promote", candidate, build)
    assert "services/stock/PR-7 may not release stock" in failure(refused)


def test_04_a_test_that_fails_ends_the_build(run: Run) -> None:
    path = run.repository / "tests" / "test_visits.py"
    text = path.read_text()
    path.write_text(text.replace('== {"visits": 0}', '== {"visits": 9}'))
    build = run.play(snapshot(run.repository, run.session.folder / "broken.git", ""))
    path.write_text(text)
    assert "script returned exit code 2" in failure(build)
    assert "5 tests, 1 failed: test_each_visit_is_counted_once" in build.log.read_text()
    assert build.stages == ["Preflight", "Build", "Test"]
    assert not run.digest("SERVICES", f"stock:{version(build)}")


@contextmanager
def without_grants(run: Run, repository: str, member: str) -> Generator[None]:
    """Take the rights of a member on a repository away."""
    complete = run.session.platform
    numbers = complete.model.numbers
    rest = tuple(
        binding
        for binding in complete.model.bindings
        if not (
            binding.resource.endswith(f"/repositories/{repository}")
            and principals.canonical(binding.member, numbers).endswith(member)
        )
    )
    assert len(rest) < len(complete.model.bindings)
    model = replace(complete.model, bindings=rest)
    run.session.platform = replace(complete, model=model)
    yield
    run.session.platform = complete


@pytest.mark.parametrize("repository", ["docker-hub", "candidates"])
def test_05_a_missing_grant_of_build_pods_fails_the_build(run: Run, repository: str) -> None:
    with without_grants(run, repository, AGENT):
        build = run.play()
    assert 'Permission "artifactregistry.repositories.downloadArtifacts" denied on resource' in failure(build)
    assert f"/locations/europe/repositories/{repository}" in failure(build)
    assert build.stages[-1] == "Build"
    assert not re.search(r"pushing manifest.* done", build.log.read_text())


def test_06_build_pods_may_not_write_what_is_released(run: Run) -> None:
    holder = run.session.platform.holder("jenkins-agents", "jenkins-agent")
    project = run.session.platform.project
    for repository in ("services", "charts", "docker-hub"):
        assert "artifactregistry.repositories.uploadArtifacts" not in holder.registry[f"{project}/{repository}"]


def test_07_a_registry_that_fails_while_a_version_is_released_leaves_no_chart_without_its_image(run: Run) -> None:
    run.session.last_stage = "Chart"
    build = run.play()
    run.session.last_stage = "Promote"
    assert build.stopped_as_asked, build.log.read_text()
    name = f"stock:{version(build)}"
    candidate = {
        "VERSION": version(build),
        "IMAGE": run.digest("CANDIDATES", name),
        "CHART": run.digest("CANDIDATES", f"charts/{name}"),
    }
    for status in (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR):
        run.session.endpoints.faults = (RegistryFault("PUT", "/services/stock/manifests/", status),)
        run.session.endpoints.save()
        failed = run.session.start("platform/stock/promote", candidate, build)
        assert status.phrase in failure(failed)
        assert (run.digest("SERVICES", name), run.digest("CHARTS", name)) == ("", "")
    run.session.endpoints.faults = ()
    run.session.endpoints.save()
    repeated = run.session.start("platform/stock/promote", candidate, build)
    assert repeated.result is not None
    assert repeated.result.result == "SUCCESS", repeated.log.read_text()
    assert (run.digest("SERVICES", name), run.digest("CHARTS", name)) == (candidate["IMAGE"], candidate["CHART"])


@contextmanager
def failing(run: Run, method: str, path: str, status: int, times: int = 0) -> Generator[None]:
    """Let the registry answer requests with a status."""
    run.session.endpoints.faults = (RegistryFault(method, path, status, times),)
    run.session.endpoints.save()
    try:
        yield
    finally:
        run.session.endpoints.faults = ()
        run.session.endpoints.save()


def test_07a_a_push_that_is_refused_is_one_line_and_leaves_no_candidate(run: Run) -> None:
    run.session.last_stage = "Build"
    with failing(run, "PUT", "/candidates/stock/manifests/", HTTPStatus.FORBIDDEN):
        build = run.play()
    assert "failed to push" in failure(build)
    assert "Forbidden" in failure(build)
    assert build.stages == ["Preflight", "Build"]
    assert not run.digest("CANDIDATES", f"stock:{version(build)}")


@pytest.mark.parametrize("status", [HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR])
def test_07b_a_registry_that_fails_for_a_moment_fails_no_build(run: Run, status: HTTPStatus) -> None:
    """BuildKit, crane and Helm push and read again; only crane's reads need the library for 429."""
    run.session.last_stage = "Chart"
    with failing(run, "PUT", "/candidates/(charts/)?stock/manifests/", status, times=2):
        build = run.play()
    run.session.last_stage = "Promote"
    assert build.stopped_as_asked, build.log.read_text()
    name = f"stock:{version(build)}"
    digests = {"IMAGE": run.digest("CANDIDATES", name), "CHART": run.digest("CANDIDATES", f"charts/{name}")}
    with failing(run, "GET|HEAD", "/candidates/charts/stock/manifests/", status, times=2):
        released = run.session.start("platform/stock/promote", {"VERSION": version(build), **digests}, build)
    assert released.passed, released.log.read_text()
    assert run.digest("CHARTS", name) == digests["CHART"]


def test_07c_a_cache_that_cannot_be_used_fails_no_build_of_a_pull_request(run: Run) -> None:
    run.session.last_stage = "Build"
    with failing(run, "GET|HEAD|PUT|POST|PATCH", "/cache/", HTTPStatus.FORBIDDEN):
        build = run.play(replace(run.source, pull_request="8"))
    run.session.last_stage = "Promote"
    assert build.stopped_as_asked, build.log.read_text()
    assert "403 Forbidden" in build.log.read_text()
    assert run.digest("CANDIDATES", f"stock:{version(build)}")


def test_07d_a_build_that_is_killed_while_it_pushes_leaves_no_candidate_and_a_repeat_completes(run: Run) -> None:
    run.session.last_stage = "Build"
    log = run.session.folder / f"build-{len(run.session.builds) + 1}" / "log"
    ended = threading.Event()
    killed: list[str] = []

    def kill() -> None:
        """Kill buildctl while it pushes. The registry does not answer, so that the push lasts until then."""
        while "pushing manifest" not in (log.read_text() if log.exists() else "") and not ended.wait(0.1):
            pass
        for child in psutil.Process().children(recursive=True):
            if child.name().startswith("buildctl"):
                child.kill()
                killed.append(child.name())

    with failing(run, "PUT", "/candidates/stock/manifests/", 0):
        killer = threading.Thread(target=kill)
        killer.start()
        build = run.play()
        ended.set()
        killer.join()
    assert len(killed) == 1, log.read_text()
    assert "script returned exit code" in failure(build)
    assert not run.digest("CANDIDATES", f"stock:{version(build)}")
    repeated = run.play()
    run.session.last_stage = "Promote"
    assert repeated.stopped_as_asked, repeated.log.read_text()
    assert run.digest("CANDIDATES", f"stock:{version(repeated)}")


def test_07e_a_full_disk_is_one_line(run: Run, tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(tmp_path)], check=True)
    try:
        words = ["env", f"TMPDIR={tmp_path}", sys.executable, "-c", "from atwork.cli import main; main()"]
        command = [*words, "service", "run", str(run.repository), "--stage", "build"]
        done = subprocess.run(command, cwd=run.home.checkout, capture_output=True, text=True, check=False)
        assert list(tmp_path.rglob("*.crt")) == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert "no space left on device" in line.lower()


def test_08_the_command_runs_the_pipeline_of_uncommitted_changes(run: Run) -> None:
    path = run.repository / "Jenkinsfile"
    text = path.read_text()
    path.write_text(text.replace("servicePipeline(", "servicePipeline(mistake: 1, "))
    done = shell.atwork(run.home, "service", "run", str(run.repository), "--stage", "build")
    path.write_text(text)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Jenkinsfile: servicePipeline knows no mistake" in done.stdout
    match = re.search(r"^Logs: (/\S+/atwork-run-\w+)/builds/build-1/log$", done.stdout, re.MULTILINE)
    assert match, done.stdout
    assert {path.suffix or path.name for path in Path(match[1]).rglob("*") if not path.is_dir()} == {"log", ".log"}
    shutil.rmtree(match[1])
