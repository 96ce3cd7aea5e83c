"""`atwork service run`: the pipeline of a service's repository on this machine."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from atwork.checkout import find_checkout
from atwork.errors import UsageError
from atwork.pipeline.leftovers import run_folder
from atwork.pipeline.opening import opened
from atwork.pipeline.repository import identify, snapshot
from atwork.pipeline.session import PipelineSession, PlayedBuild
from atwork.pipeline.simulated_values import fill_secrets
from atwork.sandbox.clusters.running import fleet_of
from atwork.sandbox.home import Home
from infra.catalog import read_files

LAST_STAGES: Mapping[str, str | None] = {
    "build": "Build",
    "test": "Test",
    "chart": "Chart",
    "promote": "Promote",
    "deploy": None,  # all that a build does
}
"""The last stage of a run by the value of --stage."""

_PREVIEW = re.compile(r"runs in (?P<namespace>\S+) of (?P<environment>\S+) until")
_HOUR_SECONDS = 3600


def run(repository: Path, stage: str, pull_request: int | None) -> int:
    """Play the Jenkinsfile of a repository, with changes that are not committed; returns the exit code."""
    console = Console(highlight=False, soft_wrap=True)
    if stage not in LAST_STAGES:
        raise UsageError(f"--stage {stage}: choose one of {', '.join(LAST_STAGES)}")
    checkout = find_checkout()
    home = Home(checkout.root)
    known = identify(repository, read_files(checkout.services).services)
    service = known.service
    if stage == "deploy":
        if fleet_of(home) is None:
            raise UsageError(
                "--stage deploy: the clusters of the sandbox are not real; run `atwork sandbox reset`, then "
                "`atwork sandbox up --clusters real`"
            )
        for name in fill_secrets(home, service):
            console.print(f"{name} had no value in the sandbox; it has a random one now")
    with run_folder() as folder:
        source = snapshot(repository, folder / "repository.git", str(pull_request) if pull_request else "")
        with opened(checkout, home, console, folder, known.dockerfiles, deploys=stage == "deploy") as session:
            session.last_stage = LAST_STAGES[stage]
            build = session.run(known.name, source)
            failure = _failure(session, build, stage)
            if failure is None:
                console.print(f"{repository}: {' → '.join(build.stages)} passed")
                _show(session, service)
        if failure is None:
            shutil.rmtree(folder)
            return 0
        console.print(f"{repository}: {failure}")
        console.print(f"Logs: {', '.join(str(each.log) for each in session.builds)}")
        return 1


def _failure(session: PipelineSession, build: PlayedBuild, stage: str) -> str | None:
    """Why a run failed, in one line; None if it did not."""
    for each in [build, *(other for other in session.builds if other is not build)]:
        if not each.passed:
            why = each.result.failure if each.result else "no result"
            where = each.stages[-1] if each.stages else "the start"
            return f"failed at {where}{'' if each is build else f' of {each.job}'}: {why}"
    released = any(each.job.startswith("platform/") for each in session.builds)
    if stage in ("promote", "deploy") and not (released or (build.source and build.source.pull_request)):
        return "passed, but nothing is released: add its services/NAME.yaml, then run `atwork sandbox up`"
    return None


def _show(session: PipelineSession, service: str) -> None:
    """Say where the service runs; keep one that ends with this command until a person has seen it; empty previews."""
    if session.workloads is None:
        return
    places: list[tuple[str, str]] = []
    for build in session.builds:
        job = session.platform.jobs.get(build.job, {})
        preview = _PREVIEW.search((build.result and build.result.description) or "")
        if job.get("function") == "deployService":
            places.append((job["arguments"]["environment"], service))
        elif preview is not None:
            places.append((preview["environment"], preview["namespace"]))
    for environment, namespace in places:
        address = session.workloads.address(environment, namespace, service)
        session.console.print(f"{service} answers at http://{address} (namespace {namespace} of {environment})")
    staying = [place for place in places if session.workloads.stays(*place) and place[1] == service]
    for environment, _ in staying:
        again = f"atwork sandbox open {service} --environment {environment}"
        session.console.print(f"It stays on the node of {environment}: `{again}` prints an address at any time")
    if len(places) > len(staying) and sys.stdin.isatty():
        session.console.input("Press Enter to end it. ")
    if any(namespace != service for _, namespace in places):
        janitor = session.platform.job("platform/preview-janitor")
        session.clock = lambda: time.time() + (int(janitor["arguments"]["hours"]) + 1) * _HOUR_SECONDS
        session.start("platform/preview-janitor", {})
