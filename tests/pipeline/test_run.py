"""The pipeline of a new service with real tools: from a commit to a released image and chart.

Real: git, BuildKit, the image with its tests, PostgreSQL, Redis, crane, Helm, the shared library under Jenkins' own
transformation, and the rights in the registry, which are the IAM grants of the simulated cloud. Played: Jenkins, the
metadata server and gcloud, the pods themselves (placement, spot nodes, limits), Docker Hub (images from Debian packages).
"""

from __future__ import annotations

import base64
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
from typing import Any

import psutil
import pytest
import yaml
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from rich.console import Console
from support import shell
from support.pipelines import Stock

from atwork.access import principals
from atwork.checkout import Checkout
from atwork.pipeline.opening import opened
from atwork.pipeline.repository import snapshot
from atwork.pipeline.session import PipelineSession, PlayedBuild, Source
from atwork.pipeline.tools import write_login
from atwork.sandbox import signing
from atwork.sandbox.clusters.api import Api, ApiError
from atwork.sandbox.clusters.running import fleet_of
from atwork.sandbox.endpoints import RegistryFault, TokenHolder
from atwork.sandbox.home import Home
from components.release_signing import RELEASES_NOTE

pytestmark = [pytest.mark.usefixtures("containers", "pipelines"), pytest.mark.engine]
AGENT = "[jenkins-agents/jenkins-agent]"


@dataclass(frozen=True)
class Run:
    """A session, the repository of the service, and its first build."""

    session: PipelineSession
    stock: Stock
    source: Source
    released: PlayedBuild

    @property
    def home(self) -> Home:
        """The sandbox."""
        return self.stock.home

    @property
    def repository(self) -> Path:
        """The repository of the service."""
        return self.stock.repository

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
        command = [str(self.session.toolbox.images.crane), *words]
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
    stock.require("log")
    folder = tmp_path_factory.mktemp("run")
    source = snapshot(stock.repository, folder / "stock.git", "")
    dockerfile = (stock.repository / "Dockerfile").read_text()
    with opened(
        Checkout(stock.home.checkout), stock.home, Console(stderr=True, soft_wrap=True), folder / "run", dockerfile
    ) as session:
        session.last_stage = "Promote"
        yield Run(session, stock, source, session.run("stock", source))
    assert not (folder / "run" / "endpoints" / "blobs").exists()
    shutil.rmtree(folder)


def test_01_a_commit_is_built_tested_and_released(run: Run) -> None:
    build = run.released
    assert build.stopped_as_asked, build.log.read_text()
    assert build.stages == ["Preflight", "Build", "Test", "Chart", "Promote"]
    log = build.log.read_text()
    assert re.search(r"7 tests in \d+\.\d s, 0 failed", log)  # one of them reads and writes both stores
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
        subprocess.run([str(run.session.toolbox.images.crane), "blob", layer], env=endpoints, stdout=output, check=True)
    shown = subprocess.run(
        [str(run.session.toolbox.helm), "show", "values", str(archive)], capture_output=True, text=True, check=True
    )
    image = {"repository": f"{environment['SERVICES']}/stock", "digest": run.digest("SERVICES", name)}
    assert yaml.safe_load(shown.stdout)["image"] == image
    described = json.loads(run.crane("config", f"{image['repository']}@{image['digest']}").stdout)
    assert described["config"]["Labels"] == {"org.opencontainers.image.version": version(run.released)}


def statements(run: Run, note: str) -> list[dict[str, Any]]:
    """The occurrences of a note of ci."""
    return signing.occurrences(run.stock.cloud, f"projects/{run.session.platform.project}/notes/{note}")


def test_02a_the_release_is_signed_as_binary_authorization_expects(run: Run) -> None:
    """The form is that of `gcloud container binauthz attestations sign-and-create`, checked without this project's code."""
    name = f"stock:{version(run.released)}"
    digest, path = run.digest("SERVICES", name), f"{run.session.platform.environment['SERVICES']}/stock"
    uri = f"https://{path}@{digest}"
    # An image that two builds release is signed twice.
    *_, occurrence = [each for each in statements(run, RELEASES_NOTE) if each["resourceUri"] == uri]
    payload = base64.b64decode(occurrence["attestation"]["serializedPayload"])
    assert json.loads(payload) == {
        "critical": {
            "identity": {"docker-reference": path},
            "image": {"docker-manifest-digest": digest},
            "type": "Google cloud binauthz container signature",
        }
    }
    [signature] = occurrence["attestation"]["signatures"]
    assert signature["publicKeyId"] == f"//cloudkms.googleapis.com/v1/{run.stock.signing_key}"
    key = serialization.load_pem_public_key(run.stock.public_key().encode())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    signed = base64.b64decode(signature["signature"])
    key.verify(signed, payload, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        key.verify(signed, payload.replace(digest.encode(), b"sha256:" + b"0" * 64), ec.ECDSA(hashes.SHA256()))


def test_02b_the_command_says_who_built_an_image_from_which_commit(run: Run) -> None:
    digest = run.digest("SERVICES", f"stock:{version(run.released)}")
    shown = shell.run(run.home, "service", "image", digest, "--sandbox", "--json")
    facts = json.loads(shown)
    assert facts["built by"] == "services/stock/main#1"
    assert facts["commit"] == f"{run.source.commit} of https://github.com/acme/stock"
    assert facts["service"] == f"stock {version(run.released)}"
    assert facts["attested"].endswith(f" by {run.stock.signing_key}")
    assert facts["required in"] == "staging (log)"
    other = shell.atwork(run.home, "service", "image", f"sha256:{'0' * 64}", "--sandbox")
    assert (other.returncode, other.stderr) == (1, "")
    assert "attested:    no: the promote job did not release it" in other.stdout


def test_02c_the_api_server_refuses_images_of_other_registries_while_attestations_are_logged(run: Run) -> None:
    """Binary Authorization itself logs only, so that an admission policy refuses what it refused before."""
    fleet = fleet_of(run.home)
    assert fleet is not None
    cluster = fleet.of("staging")
    assert cluster is not None
    api = Api(fleet.kubeconfig(cluster))
    services = run.session.platform.environment["SERVICES"]

    def start(image: str, namespace: str = "stock") -> None:
        container = {
            "name": "a",
            "image": image,
            "resources": {"limits": {"memory": "64Mi", "ephemeral-storage": "64Mi"}},
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        }
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [container]}}
        api.call("POST", f"/api/v1/namespaces/{namespace}/pods", body=pod, query={"dryRun": "All"})

    start(f"{services}/stock@sha256:{'0' * 64}")
    for image in (
        "docker.io/library/alpine:3",
        f"{services}-other/stock:1",
        "example.com/a:1",
        f"x.dev/{services}/a:1",
    ):
        with pytest.raises(ApiError, match="the image is not of the platform's registry"):
            start(image)
    start("gke.gcr.io/pause:3", "kube-system")
    api.close()


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
    assert re.search(r"7 tests in \S+ s, 1 failed: test_each_visit_is_counted_once", build.log.read_text())
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


def test_06a_a_build_pod_signs_nothing(run: Run, tmp_path: Path) -> None:
    """It runs the platform's own script with the token of its pod."""
    endpoints, platform = run.session.endpoints, run.session.platform
    endpoints.holders["build"] = platform.holder("jenkins-agents", "jenkins-agent")
    endpoints.save()
    (tmp_path / "gcloud").write_text("#!/bin/sh\necho build\n")
    (tmp_path / "gcloud").chmod(0o755)
    release = {
        "image": f"{platform.environment['SERVICES']}/stock@sha256:{'0' * 64}",
        "key": platform.environment["SIGNING_KEY"],
        "releases": platform.environment["RELEASES_NOTE"],
        "provenance": platform.environment["PROVENANCE_NOTE"],
        **dict.fromkeys(("service", "version", "repository", "commit", "job", "number", "builder"), "x"),
    }
    (tmp_path / "release.json").write_text(json.dumps(release))
    script = run.session.library / "resources" / "promote" / "attest.py"
    environment = {**os.environ, **endpoints.environment(), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "release.json")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "403 Permission 'cloudkms.cryptoKeyVersions.useToSign' denied on resource" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    before = statements(run, RELEASES_NOTE)
    assert all(f"sha256:{'0' * 64}" not in each["resourceUri"] for each in before)


@dataclass(frozen=True)
class Candidate:
    """What a build of the main branch proposed, which no job has released yet."""

    build: PlayedBuild
    name: str
    """Its image and its chart, `NAME:VERSION`."""
    parameters: dict[str, str]
    """Of the job `promote`."""

    def promote(self, run: Run) -> PlayedBuild:
        """Release it."""
        return run.session.start("platform/stock/promote", self.parameters, self.build)


@pytest.fixture(scope="module")
def candidate(run: Run) -> Candidate:
    run.session.last_stage = "Chart"
    build = run.play()
    run.session.last_stage = "Promote"
    assert build.stopped_as_asked, build.log.read_text()
    name = f"stock:{version(build)}"
    digests = {"IMAGE": run.digest("CANDIDATES", name), "CHART": run.digest("CANDIDATES", f"charts/{name}")}
    return Candidate(build, name, {"VERSION": version(build), **digests})


def test_07_a_registry_that_fails_while_a_version_is_released_leaves_no_chart_without_its_image(
    run: Run, candidate: Candidate
) -> None:
    for status in (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR):
        with failing(run, "PUT", "/services/stock/manifests/", status):
            failed = candidate.promote(run)
        assert status.phrase in failure(failed)
        assert (run.digest("SERVICES", candidate.name), run.digest("CHARTS", candidate.name)) == ("", "")


def test_07_a_release_that_cannot_be_signed_has_no_chart_and_a_repeat_completes_it(
    run: Run, candidate: Candidate
) -> None:
    image, chart = candidate.parameters["IMAGE"], candidate.parameters["CHART"]
    complete = run.session.platform
    rest = tuple(each for each in complete.model.bindings if each.role != "roles/cloudkms.signer")
    assert len(rest) == len(complete.model.bindings) - 1
    run.session.platform = replace(complete, model=replace(complete.model, bindings=rest))
    failed = candidate.promote(run)
    run.session.platform = complete
    assert f"@{image} is not signed: " in failure(failed)
    assert "Permission 'cloudkms.cryptoKeyVersions.useToSign' denied" in failure(failed)
    assert (run.digest("SERVICES", candidate.name), run.digest("CHARTS", candidate.name)) == (image, "")
    repeated = candidate.promote(run)
    assert repeated.passed, repeated.log.read_text()
    assert (run.digest("SERVICES", candidate.name), run.digest("CHARTS", candidate.name)) == (image, chart)


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
