"""A data store in a container of its own, as next to the tests of a build."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from atwork.containers.container import Container
from atwork.containers.images import Unpacked
from atwork.containers.namespaces import namespaces
from atwork.pipeline.build_containers import run_store
from components.delivery import StoreName
from components.jenkins.stores import STORES, sidecar


@contextmanager
def running(name: StoreName, layout: Path, folder: Path) -> Generator[Container]:
    """The container of a store from the layout of its image, when it is ready and until the end."""
    store = STORES[name]
    [settings] = sidecar(name, name)["initContainers"]
    data = folder / "data"
    data.mkdir()
    os.chown(data, store.user, store.group)
    with namespaces(own_network=True) as inside:
        container = Container(
            name=name,
            image=_unpack(layout, folder / "image"),
            inside=inside,
            folder=folder / "containers",
            environment=dict(store.environment),
            mounts={data: store.data},
            security=settings["securityContext"],
        )
        process = run_store(settings, container, folder / "log")
        yield container
        os.kill(inside.pid, signal.SIGKILL)
        process.wait()


def _unpack(layout: Path, folder: Path) -> Unpacked:
    """The root file system of an image of one layer, and its settings."""

    def blob(digest: str) -> Path:
        return layout / "blobs" / "sha256" / digest.removeprefix("sha256:")

    [entry] = json.loads((layout / "index.json").read_text())["manifests"]
    manifest = json.loads(blob(entry["digest"]).read_text())
    [layer] = manifest["layers"]
    folder.mkdir()
    command = ["tar", "--extract", "--gzip", f"--file={blob(layer['digest'])}", f"--directory={folder}"]
    subprocess.run(command, check=True)
    return Unpacked(folder, json.loads(blob(manifest["config"]["digest"]).read_text())["config"])
