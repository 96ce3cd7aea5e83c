"""A data store in a container of its own, as next to the tests of a build."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from atwork.containers.container import Container
from atwork.containers.images import ImageStore
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
            image=ImageStore(Path("crane"), folder).unpacked(layout),
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
