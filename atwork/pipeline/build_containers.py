"""Containers of pods of builds, and the data stores that run next to them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from atwork.containers.container import Container
from atwork.containers.images import Unpacked, layered
from atwork.containers.namespaces import Namespaces
from atwork.errors import SandboxError

_READY_SECONDS = 120.0

Pull = Callable[[str], Unpacked]
"""Gives the image of a reference."""


def build_container(settings: Mapping[str, Any], inside: Namespaces, pull: Pull, folder: Path) -> Container:
    """A container of a pod, with the workspace and its volumes in `folder`, where those of an earlier start may be."""
    name = settings["name"]
    security = settings.get("securityContext") or {}
    image = layered(pull(settings["image"]), inside, folder / "layers" / name, security)
    scratch: dict[Path, str] = {folder / "workspace": str(folder / "workspace")}
    for number, mount in enumerate(settings.get("volumeMounts") or ()):
        path = folder / f"volume-{name}-{number}"
        path.mkdir(exist_ok=True)
        os.chown(path, security.get("runAsUser", 0), security.get("runAsGroup", 0))
        scratch[path] = mount["mountPath"]
    return Container(
        name=name,
        image=image,
        inside=inside,
        folder=folder / "containers" / name,
        environment={pair["name"]: str(pair["value"]) for pair in settings.get("env") or ()}
        | {"WORKSPACE": str(folder / "workspace")},
        mounts=scratch,
        security=security,
    )


def start_store(settings: Mapping[str, Any], inside: Namespaces, pull: Pull, folder: Path) -> subprocess.Popen[str]:
    """Start a data store, and wait until its probe succeeds, as the pod's other containers do."""
    container = build_container(settings, inside, pull, folder)
    return run_store(settings, container, folder / f"{settings['name']}.log")


def run_store(settings: Mapping[str, Any], container: Container, log: Path) -> subprocess.Popen[str]:
    """Start a data store in its container, and wait until its probe succeeds."""
    with log.open("w") as output:
        command = container.image.command(settings.get("command"), [*map(str, settings.get("args") or ())])
        process = container.start(command, output=output)
    probe = settings["startupProbe"]["exec"]["command"]
    end = time.monotonic() + _READY_SECONDS
    while container.start(probe, output=subprocess.DEVNULL).wait():
        if process.poll() is not None or time.monotonic() > end:
            raise SandboxError(f"{settings['name']} does not start: {log.read_text(errors='replace').strip()[-300:]}")
        time.sleep(0.3)
    return process
