"""A PostgreSQL 18 in a container, with the roles that Cloud SQL sets up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from atwork.containers.container import Container
from atwork.containers.images import Unpacked
from atwork.containers.namespaces import namespaces
from atwork.containers.stand_ins import stand_in
from atwork.pipeline.build_containers import run_store
from atwork.pipeline.cloud_sql import CloudSqlInstance, CloudSqlUser
from components.jenkins.stores import STORES, sidecar


@contextmanager
def cloud_sql(folder: Path, databases: Iterable[str], users: Iterable[CloudSqlUser]) -> Generator[CloudSqlInstance]:
    """An instance with databases and users, until the end."""
    store = STORES["postgres"]
    [settings] = sidecar("postgres", "postgres")["initContainers"]
    data = folder / "data"
    data.mkdir()
    os.chown(data, store.user, store.group)
    with namespaces(own_network=True) as inside:
        container = Container(
            name="postgres",
            image=unpack(stand_in("postgres", Console(stderr=True)), folder / "image"),
            inside=inside,
            folder=folder / "containers",
            environment=dict(store.environment),
            mounts={data: store.data},
            security=settings["securityContext"],
        )
        process = run_store(settings, container, folder / "log")
        instance = CloudSqlInstance(container, folder / "statements.log")
        instance.setup(databases, users)
        yield instance
        os.kill(inside.pid, signal.SIGKILL)
        process.wait()


def unpack(layout: Path, folder: Path) -> Unpacked:
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
