"""Stores that services share on this machine: one container for each instance, from its first connection on.

Those of a session of builds are empty at first. Those of real nodes keep their data until the instance is deleted.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atwork.containers import network
from atwork.containers.container import Container
from atwork.containers.namespaces import namespaces
from atwork.pipeline.build_containers import Pull, build_container, run_store
from atwork.pipeline.leftovers import remove_folders
from atwork.sandbox.cloud import Cloud

_VOLUMES = "volume-*"
"""Folders of a container that outlive it (build_containers.py)."""


@dataclass(frozen=True)
class RunningStore:
    """The container of an instance."""

    container: Container
    process: subprocess.Popen[str]
    folder: Path
    stack: ExitStack
    """Ends it."""


@dataclass
class ServiceStores(ABC):
    """The containers of one kind of store, by the name of the instance."""

    settings: Mapping[str, Any]
    """The container of the store in pods of tests."""
    cloud: Cloud
    pull: Pull
    folder: Path
    keeps_data: bool = False
    """Whether data stays when a container ends."""
    _running: dict[str, RunningStore] = field(default_factory=dict[str, RunningStore])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @abstractmethod
    def existing(self) -> set[str]:
        """The names of all instances in the simulated cloud."""

    def close(self) -> None:
        """End all instances."""
        with self._lock:
            for name in [*self._running]:
                self._end(name)

    def delete_missing(self) -> None:
        """End the instances that the simulated cloud no longer has, and delete their data."""
        present = [path.name for path in self.folder.iterdir()] if self.folder.exists() else []
        gone = set(present) - self.existing() if present else ()
        with self._lock:
            for name in gone:
                if name in self._running:
                    self._end(name)
                shutil.rmtree(self.folder / name)

    def connected(self, name: str, port: int, prepare: Callable[[RunningStore], None] | None = None) -> socket.socket:
        """A connection to an instance, which starts if it does not run; `prepare` is called before each connection."""
        with self._lock:
            if name in self._running and self._running[name].process.poll() is not None:
                self._end(name)
            if name not in self._running:
                self._running[name] = self._started(name)
            running = self._running[name]
            if prepare is not None:
                prepare(running)
        return network.connect(running.container.inside.pid, port)

    def _started(self, name: str) -> RunningStore:
        folder = self.folder / name
        self._remove_container(folder)  # of a process that was killed
        (folder / "workspace").mkdir(parents=True)
        with ExitStack() as stack:
            inside = stack.enter_context(namespaces(own_network=True))
            container = build_container(self.settings, inside, self.pull, folder)
            process = run_store(self.settings, container, folder / f"{self.settings['name']}.log")
            stack.callback(process.wait)
            stack.callback(_kill, inside.pid)
            return RunningStore(container, process, folder, stack.pop_all())
        raise AssertionError  # no callback of the stack suppresses an exception

    def _end(self, name: str) -> None:
        self._running.pop(name).stack.close()
        self._remove_container(self.folder / name)

    def _remove_container(self, folder: Path) -> None:
        remove_folders(folder, *(path.name for path in folder.glob(_VOLUMES) if self.keeps_data))


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
