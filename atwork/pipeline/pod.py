"""A running pod of a build.

The tools of the platform (BuildKit, Helm, crane, gcloud) run as programs of this machine, with the login of the pod and
nothing of the person who runs the command. All other containers are real ones: runc runs their images, pulled with the
rights of the node, in a network that has only loopback.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from atwork.containers.buildkit import buildkit
from atwork.containers.container import Container
from atwork.containers.namespaces import namespaces
from atwork.errors import SandboxError
from atwork.pipeline.build_containers import build_container, start_store
from atwork.pipeline.leftovers import remove_folders
from atwork.pipeline.platform import JenkinsPlatform, new_token
from atwork.pipeline.templates import PodTemplate
from atwork.pipeline.tools import TOOLS, Toolbox, variables_of, write_login, write_tools
from atwork.sandbox.endpoints import Endpoints


@dataclass
class BuildPod:
    """A pod with its workspace, which is a folder of this machine."""

    folder: Path
    environment: Mapping[str, str]
    """Variables of the commands of tools."""
    containers: dict[str, Container] = field(default_factory=dict[str, Container])

    @property
    def workspace(self) -> Path:
        """The folder that all containers share, at the same path."""
        return self.folder / "workspace"

    def start(self, container: str, script: str, variables: Mapping[str, str], log: IO[Any], *, wanted: bool) -> Any:
        """Start a script of a step in a container; returns the process, with its output in a pipe if it is wanted."""
        output = subprocess.PIPE if wanted else log
        words = ["sh", "-e", "-c", script]
        if container in self.containers:
            return self.containers[container].start(
                ["env", *(f"{key}={value}" for key, value in variables.items()), *words],
                cwd=str(self.workspace),
                output=output,
            )
        if container not in TOOLS:
            raise SandboxError(f"the pod has no container {container}")
        return subprocess.Popen(
            words,
            cwd=self.workspace,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=log,
            text=True,
        )


@contextmanager
def running(
    template: PodTemplate, platform: JenkinsPlatform, endpoints: Endpoints, toolbox: Toolbox, folder: Path
) -> Generator[BuildPod]:
    """A pod, ready for its first step, until the end."""
    holder = platform.holder(template.namespace, template.account)
    token = new_token()
    endpoints.holders[token] = holder
    endpoints.save()
    for part in ("workspace", "login", "bin", "home"):
        (folder / part).mkdir(parents=True)
    (folder / "workspace").chmod(0o777)
    write_tools(folder, token, platform.described(holder), toolbox)
    pod = BuildPod(folder, variables_of(folder, endpoints))
    with ExitStack() as stack:
        stack.callback(remove_folders, folder, "workspace")  # when no process and no mount uses them anymore
        stack.callback(_forget, endpoints, token)
        node = new_token()
        if "buildkit" in template.containers:
            inside = stack.enter_context(namespaces(own_network=False))
            address = stack.enter_context(
                buildkit(toolbox.buildkit, inside, folder, toolbox.cache, {**endpoints.environment()})
            )
            pod.environment = {**pod.environment, "BUILDKIT_HOST": address}
        others = [container for name, container in template.containers.items() if name not in TOOLS]
        if others or template.stores:
            endpoints.holders[node] = platform.node(platform.project)
            endpoints.save()
            stack.callback(_forget, endpoints, node)
            login = {**pod.environment, "DOCKER_CONFIG": str(write_login(folder / "kubelet", endpoints.registry, node))}
            inside = stack.enter_context(namespaces(own_network=True))
            started: list[subprocess.Popen[str]] = []
            # Processes in namespaces end with them, and are waited for after that.
            stack.push(lambda *_: _wait_for_all(started))
            stack.push(lambda *_: os.kill(inside.pid, signal.SIGKILL))
            pull = toolbox.images.puller(login)
            started.extend(start_store(store, inside, pull, folder) for store in template.stores)
            for container in others:
                pod.containers[container["name"]] = build_container(container, inside, pull, folder)
        yield pod


def _wait_for_all(started: list[subprocess.Popen[str]]) -> None:
    for process in started:
        process.wait()


def _forget(endpoints: Endpoints, token: str) -> None:
    endpoints.holders.pop(token, None)
    endpoints.save()
