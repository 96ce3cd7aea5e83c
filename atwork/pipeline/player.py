"""Plays one pipeline: Java transforms and runs its Groovy, and this process carries out the steps."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from atwork.errors import SandboxError, UserError


class StepFailed(SandboxError):
    """A step failed, as it would in Jenkins; the pipeline may catch it."""

    def __init__(self, message: str, *, interrupted: bool = False) -> None:
        super().__init__(message)
        self.interrupted = interrupted


class StepHandler(Protocol):
    """Carries out steps; raises `StepFailed`."""

    def step(self, name: str, arguments: Sequence[Any]) -> Any:
        """A step without a body; returns its value as JSON."""
        ...

    def begin(self, name: str, arguments: Sequence[Any]) -> bool:
        """The begin of a step with a body; returns whether the body runs."""
        ...

    def end(self, name: str, failure: str | None) -> bool:
        """The end of the body; returns whether the step handles the failure."""
        ...


@dataclass(frozen=True)
class Script:
    """A pipeline and the variables that Jenkins gives it."""

    path: Path
    library: Path
    """The folder with `vars/`."""
    environment: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    build: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Fields of `currentBuild`: startTimeInMillis and causes."""
    jobs: Mapping[str, str] = field(default_factory=dict[str, str])
    """Descriptions of the platform's jobs, by full name."""
    pulls: Sequence[str] = ()
    """Full names of the jobs of pull requests."""
    commits: Mapping[str, str] = field(default_factory=dict[str, str])
    """Commits of builds, by JOB#NUMBER."""


@dataclass(frozen=True)
class Result:
    """The end of a build; `failure` is the message of the error that ended it."""

    result: str
    description: str | None
    failure: str | None


def play(command: Sequence[str], script: Script, steps: StepHandler, log: Path) -> Result:
    """Play a pipeline to its end; `command` is that of `atwork.pipeline.jvm.player`."""
    with (
        log.open("ab") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
        ) as child,
    ):
        assert child.stdin is not None  # noqa: S101 (pipes were asked for)
        assert child.stdout is not None  # noqa: S101
        request = {
            "script": str(script.path),
            "library": str(script.library),
            "env": dict(script.environment),
            "params": dict(script.parameters),
            "currentBuild": dict(script.build),
            "jobs": dict(script.jobs),
            "pulls": list(script.pulls),
            "commits": dict(script.commits),
        }
        try:
            print(json.dumps(request), file=child.stdin, flush=True)
            for line in child.stdout:
                message = json.loads(line)
                if message.get("finished"):
                    return _result(message)
                print(json.dumps(_answer(steps, message)), file=child.stdin, flush=True)
        finally:
            child.kill()  # it has nothing to save, and ends by itself if this process is killed
    raise SandboxError(f"{log}: the player of pipelines ended: {log.read_text(errors='replace').strip()[-500:]}")


def _answer(steps: StepHandler, message: Mapping[str, Any]) -> dict[str, Any]:
    name, arguments = message["step"], message["arguments"]
    try:
        if message.get("end"):
            return {"value": "handled" if steps.end(name, message["failure"]) else None}
        if message.get("begin"):
            return {"skip": not steps.begin(name, arguments)}
        return {"value": steps.step(name, arguments)}
    except UserError as failure:
        interrupted = isinstance(failure, StepFailed) and failure.interrupted
        return {"failure": str(failure), "interrupted": interrupted}


def _result(message: Mapping[str, Any]) -> Result:
    failure = message["failure"]
    ended = "ABORTED" if message["interrupted"] else "FAILURE"
    return Result(message["result"] or (ended if failure else "SUCCESS"), message["description"], failure)
