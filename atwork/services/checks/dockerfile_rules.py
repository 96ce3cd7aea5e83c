"""Checks of the Dockerfile: the stages, their base images, and the user of what is released."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from atwork.services.checks.dockerfile import BuildStage, DockerfileError, chain, read_stages
from atwork.services.checks.files import read_text
from atwork.services.checks.finding import RepositoryFinding

FILE = "Dockerfile"
RUNTIME = "runtime"
"""The stage that is released (delivery/vars/servicePipeline.groovy)."""
_NUMERIC_USER = re.compile(r"[1-9][0-9]*(:\S+)?")
_WITHOUT_ROOT = re.compile(r"distroless/.*[:-]nonroot\b|distroless\.dev/|cgr\.dev/chainguard/")
"""Base images whose user is 65532 (https://github.com/GoogleContainerTools/distroless, chainguard.dev)."""


def check_dockerfile(folder: Path, file: str, test_target: str) -> Iterator[RepositoryFinding]:
    """Findings about a Dockerfile; `test_target` is the stage with the tests, "" if they run in the released image."""
    text = read_text(folder, file, f"add one with a stage `{RUNTIME}`, which is released")
    try:
        stages = read_stages(text)
    except DockerfileError as error:
        yield RepositoryFinding(file, str(error), error.line)
        return
    by_name = {stage.name: stage for stage in stages if stage.name}
    runtime = by_name.get(RUNTIME)
    if runtime is None:
        last = stages[-1].line
        yield RepositoryFinding(file, "stage runtime is missing; name the released stage: FROM ... AS runtime", last)
    if test_target:
        yield from _tests(file, stages, by_name, test_target.lower())
    for stage in stages:
        yield from _image(file, stage)
    if runtime is not None:
        yield from _user(file, stages, runtime)


def _tests(
    file: str, stages: Sequence[BuildStage], by_name: dict[str, BuildStage], target: str
) -> Iterator[RepositoryFinding]:
    stage = by_name.get(target)
    if stage is None:
        yield RepositoryFinding(
            file, f"stage {target} is missing; add a stage with the tests: FROM {RUNTIME} AS {target}", stages[-1].line
        )
    elif RUNTIME in by_name and by_name[RUNTIME] not in chain(stages, stage):
        yield RepositoryFinding(
            file,
            f"stage {target} begins with {stage.written}, so that it does not test what is released; write FROM "
            f"{RUNTIME} AS {target}",
            stage.line,
        )


def _image(file: str, stage: BuildStage) -> Iterator[RepositoryFinding]:
    """Whether the base image of a stage has a version."""
    if stage.base is not None or stage.image == "scratch":
        return
    if not stage.image:
        name = re.sub(r"^[\"']|[\"']$", "", stage.written)
        yield RepositoryFinding(
            file,
            f"FROM {name}: a variable has no value, because the pipeline only sets VERSION and DOCKER_HUB; give it a "
            "default before the first FROM: ARG NAME=VALUE",
            stage.line,
        )
        return
    tag = tag_of(stage.image)
    if "@sha256:" not in stage.image and (":" not in tag or tag.endswith((":latest", ":"))):
        example = f"{stage.written.removesuffix(':latest')}:1.2.3"
        fix = (
            f"pin a version, such as {example}" if "$" not in tag_of(stage.written) else f"{stage.image} has no version"
        )
        yield RepositoryFinding(file, f"FROM {stage.written}: {fix}", stage.line)


def tag_of(image: str) -> str:
    """What follows the last slash of an image."""
    return image.rpartition("/")[2]


def _user(file: str, stages: Sequence[BuildStage], runtime: BuildStage) -> Iterator[RepositoryFinding]:
    """Whether the released image runs as a numeric user that is not root: Kubernetes cannot check a name."""
    last = runtime
    for last in chain(stages, runtime):
        if last.user is not None:
            break
    if last.user is None and _WITHOUT_ROOT.search(last.image):
        return
    user, line = last.user or ("the user of its base image", runtime.line)
    if not _NUMERIC_USER.fullmatch(user):
        yield RepositoryFinding(
            file,
            f"stage {RUNTIME} runs as {user}; end it with a numeric user that is not root: USER 1000:1000",
            line,
        )
