"""The steps of pipelines, as far as the shared library uses them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol
from xml.etree import ElementTree as ET

import yaml

from atwork.pipeline import junit
from atwork.pipeline.player import Result, StepFailed
from atwork.pipeline.pod import BuildPod


class BuildContext(Protocol):
    """The build whose steps are carried out."""

    def say(self, text: str) -> None:
        """Write a line to the log of the build, and to the terminal."""
        ...

    def pod(self, stack: ExitStack, arguments: Mapping[str, Any]) -> BuildPod:
        """Start the pod of a `podTemplate`; the stack ends it."""
        ...

    def checkout(self, workspace: Path) -> str:
        """Fetch the sources; returns the commit."""
        ...

    def start(self, job: str, parameters: Mapping[str, str], *, wait: bool) -> Result | None:
        """Run another job; None if it is not played."""
        ...


class Steps:
    """Carries out the steps of one build."""

    def __init__(self, build: BuildContext, log: Path, library: Path, environment: Mapping[str, str]) -> None:
        self._build, self._log, self._library = build, log, library
        self._bodies: list[tuple[str, ExitStack]] = []
        self._templates: list[Mapping[str, Any]] = []
        self._pods: list[BuildPod] = []
        self._containers: list[str] = []
        self._variables = [dict(environment)]
        self.stages: list[str] = []
        self.last_stage: str | None = None
        """The stage after which the build ends, as somebody asked for."""

    def begin(self, name: str, arguments: Sequence[Any]) -> bool:
        """Begin a body: a stage, a pod, a container."""
        stack = ExitStack()
        first = arguments[0] if arguments else None
        match name:
            case "stage" if self.last_stage in self.stages:
                raise StepFailed(f"ended after {self.last_stage}", interrupted=True)
            case "stage":
                self.stages.append(str(first))
                self._build.say(f"── {first}")
                stack.callback(self._ended, str(first), time.monotonic())
            case "podTemplate":
                stack.callback(self._templates.pop)
                self._templates.append(first or {})
            case "node":
                self._pods.append(self._build.pod(stack, self._templates[-1] if self._templates else {}))
                stack.callback(self._pods.pop)
            case "container":
                stack.callback(self._containers.pop)
                self._containers.append(str(first))
            case "withEnv":
                stack.callback(self._variables.pop)
                self._variables.append(dict(pair.split("=", 1) for pair in first or ()))
            case _:  # a time limit, a lock, another attempt: one build at a time needs none
                pass
        self._bodies.append((name, stack))
        return True

    def end(self, name: str, failure: str | None) -> bool:
        """End a body."""
        _, stack = self._bodies.pop()
        stack.close()
        return name == "catchError" and failure is not None

    def _ended(self, stage: str, began: float) -> None:
        self._build.say(f"── {stage}: {time.monotonic() - began:.1f} s")

    def close(self) -> None:
        """End all bodies, innermost first, of a build that this process gave up."""
        while self._bodies:
            self._bodies.pop()[1].close()

    def step(self, name: str, arguments: Sequence[Any]) -> Any:
        """Carry out a step without a body; `StepFailed` if it is not one of the library's."""
        method: Callable[[Any], Any] | None = getattr(self, f"_step_{name}", None)
        if method is None:
            raise StepFailed(f"the step `{name}` is not played on this machine")
        try:
            return method(arguments[0] if arguments else None)
        except (yaml.YAMLError, ET.ParseError, ValueError) as error:  # of a file in the repository
            raise StepFailed(f"{name}: {' '.join(str(error).split())[:300]}") from error

    def _path(self, name: str) -> Path:
        return self._pods[-1].workspace / name

    def _step_sh(self, given: Any) -> Any:
        options: Mapping[str, Any] = given if isinstance(given, dict) else {"script": given}
        variables = {key: value for layer in self._variables for key, value in layer.items()}
        container = self._containers[-1] if self._containers else "jnlp"
        wanted = bool(options.get("returnStdout"))
        with self._log.open("a") as log:
            process = self._pods[-1].start(container, options["script"], variables, log, wanted=wanted)
            output, _ = process.communicate()
        if options.get("returnStatus"):
            return process.returncode
        if process.returncode:
            raise StepFailed(f"script returned exit code {process.returncode}: {self.last_line()}")
        return output if wanted else None

    def last_line(self) -> str:
        """The last line of the log, which usually says why a command failed."""
        lines = [line.strip() for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1][:300] if lines else "no output"

    def _step_echo(self, text: Any) -> None:
        self._build.say(str(text))

    def _step_error(self, text: Any) -> None:
        raise StepFailed(str(text))

    def _step_checkout(self, _: Any) -> dict[str, str]:
        return {"GIT_COMMIT": self._build.checkout(self._pods[-1].workspace)}

    def _step_fileExists(self, name: Any) -> bool:  # noqa: N802 (Jenkins' name)
        return self._path(name).exists()

    def _step_readFile(self, given: Any) -> str:  # noqa: N802
        return self._path(given["file"] if isinstance(given, dict) else given).read_text()

    def _step_writeFile(self, given: Any) -> None:  # noqa: N802
        path = self._path(given["file"])
        path.parent.mkdir(parents=True, exist_ok=True)  # as Jenkins does
        path.write_text(given["text"])

    def _step_readYaml(self, given: Any) -> Any:  # noqa: N802
        return yaml.safe_load(given["text"] if "text" in given else self._path(given["file"]).read_text())

    def _step_writeYaml(self, given: Any) -> None:  # noqa: N802
        self._path(given["file"]).write_text(yaml.safe_dump(given["data"], sort_keys=False))

    def _step_readJSON(self, given: Any) -> Any:  # noqa: N802
        return json.loads(given["text"] if "text" in given else self._path(given["file"]).read_text())

    def _step_writeJSON(self, given: Any) -> None:  # noqa: N802
        self._path(given["file"]).write_text(json.dumps(given["json"]))

    def _step_libraryResource(self, name: Any) -> str:  # noqa: N802
        return (self._library / "resources" / name).read_text()

    def _step_junit(self, given: Any) -> None:
        self._build.say(junit.summary(self._path(".").glob(given["testResults"])))

    def _step_build(self, given: Any) -> dict[str, Any]:
        pairs = [item["by"] for item in given.get("parameters") or ()]
        parameters = {pair["name"]: str(pair["value"] or "") for pair in pairs}
        wait = given.get("wait") is not False
        result = self._build.start(given["job"], parameters, wait=wait)
        if result is None:
            return {"result": None}
        if wait and given.get("propagate") is not False and result.result != "SUCCESS":
            raise StepFailed(f"{given['job']} completed with status {result.result}: {result.failure}")
        return {"result": result.result, "description": result.description, "absoluteUrl": given["job"]}

    def _step_input(self, given: Any) -> None:
        self._build.say(f"{given['message']} Nobody approves on this machine.")
        raise StepFailed("nobody approves on this machine", interrupted=True)

    def _step_slackSend(self, given: Any) -> dict[str, str]:  # noqa: N802
        return {"threadId": given["channel"] if ":" in given["channel"] else "C0123456:1700000000.000100"}

    def _step_properties(self, _: Any) -> None:
        """Options of a job; this machine keeps no builds."""

    def _step_milestone(self, _: Any) -> None:
        """One build at a time passes each milestone."""

    def _step_archiveArtifacts(self, _: Any) -> None:  # noqa: N802
        """The workspace stays until the end of the run."""
