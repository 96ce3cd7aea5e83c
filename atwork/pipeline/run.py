"""`atwork service run`: the pipeline of a service's repository on this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml
from rich.console import Console

from atwork.checkout import Checkout, find_checkout
from atwork.containers.errors import ContainerError, check_machine
from atwork.containers.stand_ins import STAND_INS, stand_in
from atwork.errors import UsageError
from atwork.files import cache_folder
from atwork.pipeline import jvm, platform
from atwork.pipeline.endpoints import Endpoints, TokenHolder, serve
from atwork.pipeline.session import PipelineSession, Source
from atwork.pipeline.tools import Toolbox, write_login
from atwork.sandbox.clusters.running import fleet_of
from atwork.sandbox.home import Home
from atwork.toolchain import programs

LAST_STAGES: Mapping[str, str] = {"build": "Build", "test": "Test", "chart": "Chart", "promote": "Promote"}
"""The last stage of a run by the value of --stage."""

_BASE = re.compile(r"^FROM\s+\$\{?DOCKER_HUB\}?/library/(\w+)(:\S+)", re.MULTILINE)
"""A base image from the mirror of Docker Hub, in a Dockerfile."""


@contextmanager
def opened(
    checkout: Checkout, home: Home, console: Console, folder: Path, dockerfile: str
) -> Generator[PipelineSession]:
    """A session for builds against a sandbox that is up; `folder` keeps logs, workspaces and images.

    The mirror of Docker Hub contains the base images of the Dockerfile, and the stores of tests.
    """
    check_machine()
    fleet = fleet_of(home)
    jenkins = platform.read(checkout, home, fleet)
    environment = jenkins.environment
    toolbox = Toolbox(
        programs.registry(console)[0],
        programs.helm(console),
        programs.buildkit(console),
        cache_folder() / "builds",
    )
    endpoints = Endpoints(
        folder / "endpoints",
        environment["REGISTRY_HOST"],
        environment["REGISTRY_HOST"].partition("-docker.")[0],
        tuple(
            key
            for key, repository in jenkins.repositories.items()
            if (repository.inputs.get("dockerConfig") or {}).get("immutableTags")
        ),
        {each.host: each.endpoint for each in jenkins.clusters if each.endpoint is not None},
    )
    with serve(programs.google_endpoints(console), endpoints):
        _fill_mirror(jenkins, endpoints, toolbox, console, dockerfile)
        player = jvm.player(console)
        yield PipelineSession(
            jenkins, endpoints, toolbox, player, checkout.root / "delivery", folder / "builds", console
        )


def _fill_mirror(
    jenkins: platform.JenkinsPlatform, endpoints: Endpoints, toolbox: Toolbox, console: Console, dockerfile: str
) -> None:
    """Put the images that stand in for Docker Hub's into the mirror, as Artifact Registry fetches the real ones."""
    mirror = jenkins.environment["DOCKER_HUB"]
    repository = mirror.partition("/")[2]
    verbs = [f"artifactregistry.repositories.{verb}Artifacts" for verb in ("download", "upload")]
    token = platform.new_token()
    endpoints.holders[token] = TokenHolder("serviceAccount:mirror", {repository: verbs})
    endpoints.save()
    login = write_login(endpoints.folder / "mirror", endpoints.registry, token)
    variables = {**os.environ, **endpoints.environment(), "DOCKER_CONFIG": str(login)}
    images = {name: f"{mirror}/library/{name}{tag}" for name, tag in _BASE.findall(dockerfile)}
    for name, template in jenkins.values["additionalAgents"].items():
        store = name.removeprefix("store-")
        if store in STAND_INS and name != store:
            [container] = yaml.safe_load(template["yamlTemplate"])["spec"]["initContainers"]
            images[store] = container["image"].partition("@")[0]
    for name, reference in images.items():
        command = [str(toolbox.crane), "push", str(stand_in(name, console)), reference]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ContainerError(f"{reference}: cannot be put into the mirror: {done.stderr.strip()[-300:]}")
    del endpoints.holders[token]
    endpoints.save()


def run(repository: Path, stage: str, pull_request: int | None) -> int:
    """Play the Jenkinsfile of a repository, with changes that are not committed; returns the exit code."""
    console = Console(highlight=False, soft_wrap=True)
    if stage not in LAST_STAGES:
        raise UsageError(f"--stage {stage}: choose one of {', '.join(LAST_STAGES)}")
    checkout = find_checkout()
    home = Home(checkout.root)
    folder = Path(tempfile.mkdtemp(prefix="atwork-run-"))
    source = snapshot(repository, folder / "repository.git", str(pull_request) if pull_request else "")
    dockerfile = repository / "Dockerfile"
    text = dockerfile.read_text() if dockerfile.exists() else ""
    with opened(checkout, home, console, folder, text) as session:
        session.last_stage = LAST_STAGES[stage]
        build = session.run(repository.resolve().name, source)
    if build.stopped_as_asked or (build.result is not None and build.result.result == "SUCCESS"):
        console.print(f"{repository}: {' → '.join(build.stages)} passed")
        shutil.rmtree(folder)
        return 0
    failure = build.result.failure if build.result else "no result"
    console.print(f"{repository}: failed at {build.stages[-1] if build.stages else 'the start'}: {failure}")
    console.print(f"Logs: {', '.join(str(each.log) for each in session.builds)}")
    return 1


def snapshot(repository: Path, target: Path, pull_request: str) -> Source:
    """A bare repository with the last commit and the uncommitted changes of files that git tracks, as branch main."""

    def git(*words: str, folder: Path = repository) -> str:
        command = ["git", *words]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UsageError(f"{repository}: not a git repository with a commit: {done.stderr.strip()[-200:]}")
        return done.stdout.strip()

    commit = git("stash", "create") or git("rev-parse", "HEAD")
    git("init", "--quiet", "--bare", str(target))
    git("push", "--quiet", "--force", str(target), f"{commit}:refs/heads/main")
    if not (repository / "Jenkinsfile").exists():
        raise UsageError(f"{repository}: has no Jenkinsfile; `atwork service check {repository}` lists what is missing")
    return Source(str(target), "main", pull_request)
