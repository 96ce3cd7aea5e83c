"""Builds of one repository on this machine, with the jobs that they start."""

from __future__ import annotations

import itertools
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from atwork.errors import UsageError
from atwork.pipeline import pod as pods
from atwork.pipeline.platform import JenkinsPlatform
from atwork.pipeline.player import Result, Script, play
from atwork.pipeline.steps import Steps
from atwork.pipeline.templates import compose
from atwork.pipeline.tools import Toolbox
from atwork.pipeline.workloads import Workloads
from atwork.sandbox.endpoints import Endpoints


@dataclass(frozen=True)
class Source:
    """What a build checks out."""

    repository: str
    """Path or URL of a git repository."""
    branch: str
    pull_request: str = ""

    @property
    def commit(self) -> str:
        """The commit that the branch is at."""
        return _git("rev-parse", self.branch, folder=Path(self.repository)).strip()


@dataclass
class PipelineSession:
    """What all builds of a run share."""

    platform: JenkinsPlatform
    endpoints: Endpoints
    toolbox: Toolbox
    player: Sequence[str]
    library: Path
    folder: Path
    console: Console
    last_stage: str | None = None
    """The stage after which the build of a repository ends."""
    builds: list[PlayedBuild] = field(default_factory=list["PlayedBuild"])
    workloads: Workloads | None = None
    """The pods that deploys start; None if the clusters of the sandbox are simulated."""
    clock: Callable[[], float] = time.time
    """The time at which builds start, in seconds since 1970."""
    _later: list[tuple[str, Mapping[str, str], PlayedBuild]] = field(
        default_factory=list[tuple[str, Mapping[str, str], "PlayedBuild"]]
    )
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def run(self, repository: str, source: Source) -> PlayedBuild:
        """Play the Jenkinsfile of a repository as the job of its branch or pull request; the name is that on GitHub."""
        number = next(self._numbers)
        branch = f"PR-{source.pull_request}" if source.pull_request else source.branch
        variables = {"BRANCH_NAME": branch, **({"CHANGE_ID": source.pull_request} if source.pull_request else {})}
        build = PlayedBuild(self, f"services/{repository}/{branch}", number, source)
        text = _git("show", f"{source.branch}:Jenkinsfile", folder=Path(source.repository))
        build.play(text, variables, {}, [{"_class": "jenkins.branch.BranchEventCause"}])
        while self._later:
            self.start(*self._later.pop(0))
        return build

    def queue(self, path: str, parameters: Mapping[str, str], caller: PlayedBuild) -> None:
        """Play a job after the build that started it and does not wait; one that needs an approval is only named."""
        if approvers := self.platform.job(path)["arguments"].get("approvers"):
            caller.say(f"not played: {path.strip('/')}, which waits for an approval of {approvers}")
        else:
            self._later.append((path, parameters, caller))

    def start(self, path: str, parameters: Mapping[str, str], caller: PlayedBuild | None = None) -> PlayedBuild:
        """Play a job of the platform, started by a build, or by a person."""
        job = self.platform.job(path)
        arguments = ", ".join(f"{key}: {_quoted(value)}" for key, value in sorted(job["arguments"].items()))
        text = f"@Library('platform') _\n{job['function']}({arguments})\n"
        build = PlayedBuild(self, job["path"], next(self._numbers), None)
        cause: dict[str, Any] = {"_class": "hudson.model.Cause$UserIdCause"}
        if caller is not None:
            upstream = {"upstreamProject": caller.job, "upstreamBuild": caller.number}
            cause = {"_class": "hudson.model.Cause$UpstreamCause", **upstream}
        return build.play(text, {}, parameters, [cause])


@dataclass
class PlayedBuild:
    """One build: its log, its stages, its result."""

    session: PipelineSession
    job: str
    number: int
    source: Source | None
    result: Result | None = None
    last_stage: str | None = None
    stages: list[str] = field(default_factory=list[str])
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def stopped_as_asked(self) -> bool:
        """Whether it ended after the last stage that somebody asked for."""
        failure = self.result.failure if self.result else None
        return self.last_stage is not None and failure == f"ended after {self.last_stage}"

    @property
    def passed(self) -> bool:
        """Whether it succeeded, or ended after the last stage that somebody asked for."""
        return self.stopped_as_asked or (self.result is not None and self.result.result == "SUCCESS")

    @property
    def folder(self) -> Path:
        """The folder of its log and its pods."""
        return self.session.folder / f"build-{self.number}"

    @property
    def log(self) -> Path:
        """The output of its commands."""
        return self.folder / "log"

    def play(
        self, text: str, variables: Mapping[str, str], parameters: Mapping[str, str], causes: list[dict[str, Any]]
    ) -> PlayedBuild:
        """Play the text of a pipeline to its end."""
        self.session.builds.append(self)
        self.parameters = parameters
        self.folder.mkdir(parents=True)
        script = self.folder / "Jenkinsfile"
        script.write_text(text)
        environment = {
            **self.session.platform.environment,
            "BUILD_NUMBER": str(self.number),
            "BUILD_URL": f"file://{self.folder}/",
            "JOB_NAME": self.job,
            **variables,
        }
        fields = {"startTimeInMillis": int(self.session.clock() * 1000), "causes": causes}
        steps = Steps(self, self.log, self.session.library, environment)
        self.stages = steps.stages
        self.last_stage = steps.last_stage = self.session.last_stage if self.source else None
        self.log.touch()
        try:
            jobs = {path: str(job.get("description", "")) for path, job in self.session.platform.jobs.items()}
            pulls = [build.job for build in self.session.builds if build.source and build.source.pull_request]
            commits = {f"{each.job}#{each.number}": each.source.commit for each in self.session.builds if each.source}
            played = Script(script, self.session.library, environment, parameters, fields, jobs, pulls, commits)
            self.result = play(self.session.player, played, steps, self.folder / "player.log")
        finally:
            steps.close()
        return self

    def say(self, text: str) -> None:
        """Write a line to the log and to the terminal."""
        with self.log.open("a") as log:
            print(text, file=log)
        self.session.console.print(f"[{self.job}] {text}", markup=False, highlight=False, soft_wrap=True)

    def pod(self, stack: ExitStack, arguments: Mapping[str, Any]) -> pods.BuildPod:
        """Start a pod from the platform's templates."""
        session = self.session
        template = compose(session.platform.values, arguments)
        number = sum(1 for path in self.folder.iterdir() if path.name.startswith("pod-"))
        folder = self.folder / f"pod-{number}"
        running = pods.running(template, session.platform, session.endpoints, session.toolbox, folder)
        return stack.enter_context(running)

    def checkout(self, workspace: Path) -> str:
        """Clone the branch into the workspace, as the user of the pod's containers."""
        if self.source is None:
            raise UsageError(f"{self.job}: has no sources to check out")
        _git("clone", "--quiet", "--branch", self.source.branch, self.source.repository, ".", folder=workspace)
        return _git("rev-parse", "HEAD", folder=workspace).strip()

    def start(self, job: str, parameters: Mapping[str, str], *, wait: bool) -> Result | None:
        """Play another job; None if the build does not wait for it."""
        if not wait:
            self.session.queue(job, parameters, self)
            return None
        return self.session.start(job, parameters, self).result


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def _git(*words: str, folder: Path) -> str:
    command = ["git", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(f"{folder}: git {words[0]} failed: {done.stderr.strip()[-300:]}")
    return done.stdout
