"""One pod of a cluster whose containers run on this machine, and its status in the cluster."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atwork.containers import network
from atwork.containers.container import Container
from atwork.containers.images import Unpacked, layered
from atwork.containers.namespaces import namespaces
from atwork.errors import SandboxError, UserError
from atwork.pipeline import probes, workload_status
from atwork.pipeline.leftovers import remove_folders
from atwork.pipeline.workload_content import PodContent
from atwork.sandbox.clusters.api import ApiError
from atwork.sandbox.clusters.service_network import Neighbor

_TICK_SECONDS = 0.3
_LONGEST_PAUSE_SECONDS = 10.0


@dataclass
class _State:
    """A container of the pod, and its process."""

    settings: Mapping[str, Any]
    container: Container
    log: Path
    process: subprocess.Popen[str] | None = None
    started: bool = False
    ready: bool = False
    restarts: int = 0
    again: float = 0.0

    @property
    def code(self) -> int | None:
        """The exit code; None if the container runs, or was not started yet."""
        return None if self.process is None else self.process.poll()

    def status(self) -> dict[str, Any]:
        """Its part of the pod's status."""
        if self.again:
            shown: dict[str, Any] = {"waiting": {"reason": "CrashLoopBackOff", "message": _last_line(self.log)}}
        elif (code := self.code) is not None:
            reason = "Error" if code else "Completed"
            shown = {"terminated": {"exitCode": code, "reason": reason, "message": _last_line(self.log)}}
        else:
            shown = {"running": {}}
        described = {"ready": self.ready, "started": self.started, "restartCount": self.restarts, "state": shown}
        return {"name": self.settings["name"], "image": self.settings["image"], "imageID": "", **described}


@dataclass
class Workload:
    """Runs the containers of a pod in a thread, from its start until `stop`."""

    content: PodContent
    folder: Path
    pull: Callable[[str], Unpacked]
    """Pulls an image with the rights of the node."""
    neighbors: Callable[[Mapping[str, str]], Sequence[Neighbor]]
    """What a pod with these variables reaches."""
    more_variables: Callable[[Mapping[str, str]], Mapping[str, str]]
    """Variables in place of what this machine does not have, for a container with these variables."""
    forwarder: network.Forwarder
    say: Callable[[str], None]
    """Reports a container that does not run."""
    containers: dict[str, Container] = field(default_factory=dict[str, Container])
    pid: int = 0
    """The first process of its network; 0 before the start."""
    ready: bool = False
    _states: list[_State] = field(default_factory=list[_State])
    _stopped: threading.Event = field(default_factory=threading.Event)
    _reported: Any = None

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    @property
    def name(self) -> str:
        """Its name in the cluster."""
        return str(self.content.pod["metadata"]["name"])

    def start(self) -> None:
        """Start its thread."""
        self._thread.start()

    def stop(self) -> None:
        """End its processes, and wait for them."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            with ExitStack() as stack:
                stack.callback(self._wait)
                self._start(stack)
                end = time.monotonic() + self.content.pod["spec"].get("activeDeadlineSeconds", float("inf"))
                while not self._stopped.wait(_TICK_SECONDS):
                    if time.monotonic() > end and self._phase == "Running":
                        self._report(workload_status.too_late(self.content, [state.status() for state in self._states]))
                        return
                    for state in self._states:
                        self._look_after(state)
                    self._report(self._status())
        except (UserError, ApiError, OSError) as error:
            self._report(workload_status.refused(self.content, str(error)))
        finally:
            self.pid, self.ready = 0, False
            remove_folders(self.folder)

    def _wait(self) -> None:
        for state in self._states:
            if state.process is not None:
                state.process.wait()

    def _start(self, stack: ExitStack) -> None:
        spec = self.content.pod["spec"]
        inside = stack.enter_context(namespaces(own_network=True))
        volumes = self.content.volumes(self.folder / "volumes")
        beside = {each["name"]: self.content.environment(each) for each in _containers(spec)}
        together = {key: value for variables in beside.values() for key, value in variables.items()}
        hosts = self._connect(stack, inside.pid, self.neighbors(together))
        for settings in _containers(spec):
            mounts = {volumes[mount["name"]]: mount["mountPath"] for mount in settings.get("volumeMounts") or ()}
            variables, name = beside[settings["name"]], settings["name"]
            security = {**(spec.get("securityContext") or {}), **(settings.get("securityContext") or {})}
            container = Container(
                name=name,
                image=layered(self.pull(settings["image"]), inside, self.folder / "layers" / name, security),
                inside=inside,
                folder=self.folder / "containers" / name,
                environment={**variables, **self.more_variables(variables)},
                mounts={**mounts, hosts: "/etc/hosts"},
                security=security,
            )
            self.containers[name] = container
            self._states.append(_State(settings, container, self.folder / f"{name}.log"))
        self.pid = inside.pid

    def _connect(self, stack: ExitStack, pid: int, neighbors: Sequence[Neighbor]) -> Path:
        lines = ["127.0.0.1 localhost", f"127.0.0.1 {self.name}"]
        for number, neighbor in enumerate(neighbors, start=1):
            address = "127.0.0.1" if neighbor.own else f"127.0.1.{number}"
            lines.append(f"{address} {' '.join(neighbor.names)}")
            for port, dial in neighbor.ports.items():
                if not neighbor.own:
                    stack.callback(self.forwarder.forward(network.listen(pid, address, port), dial))
        path = self.folder / "hosts"
        path.write_text("\n".join(lines) + "\n")
        return path

    def dial(self, port: int) -> socket.socket:
        """A connection to a port of the pod; `OSError` if it does not run."""
        if not self.pid:
            raise ConnectionRefusedError(f"{self.name} does not run")
        return network.connect(self.pid, port)

    def _look_after(self, state: _State) -> None:
        """Start a container, or again if it ended and is to run; ask its probes."""
        policy = self.content.pod["spec"].get("restartPolicy", "Always")
        if (code := state.code) is not None:
            state.started = state.ready = False
            if policy == "Never" or (policy == "OnFailure" and code == 0):
                return
            if not state.again:
                state.again = time.monotonic() + min(_LONGEST_PAUSE_SECONDS, 2.0**state.restarts)
            if time.monotonic() < state.again:
                return
            state.process, state.again, state.restarts = None, 0.0, state.restarts + 1
        if state.process is None:
            settings = state.settings
            with state.log.open("a") as output:
                words = state.container.image.command(settings.get("command"), settings.get("args"))
                state.process = state.container.start(words, cwd=settings.get("workingDir", ""), output=output)
            return
        ports = {port["name"]: port["containerPort"] for port in state.settings.get("ports") or () if "name" in port}
        state.started = state.started or probes.succeeds(state.settings.get("startupProbe"), state.container, ports)
        state.ready = state.started and probes.succeeds(state.settings.get("readinessProbe"), state.container, ports)

    @property
    def _phase(self) -> str:
        policy = self.content.pod["spec"].get("restartPolicy", "Always")
        return workload_status.phase(policy, [state.code for state in self._states])

    def _status(self) -> dict[str, Any]:
        phase = self._phase
        self.ready = phase == "Running" and all(state.ready for state in self._states)
        return workload_status.described(
            self.content, phase, [state.status() for state in self._states], ready=self.ready
        )

    def _report(self, status: dict[str, Any]) -> None:
        """Write the status if it changed."""
        if status != self._reported and not self._stopped.is_set():
            self._reported = status
            lines = workload_status.problems(status)
            if status["phase"] in ("Succeeded", "Failed") and workload_status.of_job(self.content.pod):
                lines = [*_log_lines(self._states), *lines]
            for line in lines:
                self.say(f"{self.content.pod['metadata']['namespace']}/{self.name}: {line}")
            workload_status.write(self.content.api, self.content.pod, status)


def _containers(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if spec.get("initContainers"):
        raise SandboxError("init containers are not played on this machine")
    return list(spec["containers"])


def _log_lines(states: Sequence[_State]) -> list[str]:
    """The logs of containers, as Helm prints those of hooks from kubelets, which this machine does not have."""
    return [line for state in states for line in state.log.read_text(errors="replace").splitlines()]


def _last_line(log: Path) -> str:
    """The last line of a log, which usually says why a program ended; empty if there is none."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
