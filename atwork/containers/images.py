"""Images of a registry as folders that runc can run."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atwork.containers.errors import ContainerError


@dataclass(frozen=True)
class Unpacked:
    """A root file system, and the settings of its image."""

    root: Path
    configuration: Mapping[str, Any]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the image sets."""
        return dict(pair.split("=", 1) for pair in self.configuration.get("Env") or ())

    def command(self, words: list[str] | None = None, arguments: list[str] | None = None) -> list[str]:
        """The command of a container whose pod says `command` and `args`, as Kubernetes composes it."""
        entrypoint = words or self.configuration.get("Entrypoint") or []
        default = [] if words else self.configuration.get("Cmd") or []
        return [*entrypoint, *(default if arguments is None else arguments)]


def unpack(crane: Path, reference: str, folder: Path, environment: Mapping[str, str]) -> Unpacked:
    """Pull an image into an empty folder; `environment` has the proxy and the login of the registry."""

    def run(*words: str) -> bytes:
        done = subprocess.run([str(crane), *words], env=dict(environment), capture_output=True, check=False)
        if done.returncode:
            raise ContainerError(f"{reference}: cannot be pulled: {done.stderr.decode().strip()[-400:]}")
        return done.stdout

    configuration = json.loads(run("config", reference)).get("config") or {}
    root = folder / "root"
    root.mkdir(parents=True)
    with (folder / "root.tar").open("w+b") as archive:
        run("export", reference, archive.name)
        extract = ["tar", "--extract", "--file", archive.name, "--directory", str(root)]
        done = subprocess.run(extract, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ContainerError(f"{reference}: cannot be unpacked into {root}: {done.stderr.strip()[-300:]}")
    (folder / "root.tar").unlink()
    return Unpacked(root, configuration)
