"""Stores that services share on this machine: one container for each instance, from its first connection on."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atwork.containers import network
from atwork.containers.container import Container
from atwork.containers.images import ImageStore
from atwork.containers.namespaces import Namespaces, namespaces
from atwork.pipeline.build_containers import build_container, run_store
from atwork.pipeline.leftovers import remove_folders
from atwork.sandbox.cloud import Cloud


@dataclass
class ServiceStores:
    """The containers of one kind of store, by the address that pods know."""

    settings: Mapping[str, Any]
    """The container of the store in pods of tests."""
    cloud: Cloud
    images: ImageStore
    login: Mapping[str, str]
    folder: Path
    _stack: ExitStack = field(default_factory=ExitStack)
    _running: dict[str, Namespaces] = field(default_factory=dict[str, Namespaces])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def close(self) -> None:
        """End all instances."""
        self._stack.close()
        for folder in self.folder.iterdir() if self.folder.exists() else ():
            remove_folders(folder)

    def connected(self, address: str, port: int, start: Callable[[], Namespaces]) -> socket.socket:
        """A connection to an instance, which starts if it does not run."""
        with self._lock:
            if address not in self._running:
                self._running[address] = start()
        return network.connect(self._running[address].pid, port)

    def started(self, name: str, log: str) -> tuple[Namespaces, Container, Path]:
        """Start the container of an instance; returns its namespaces, itself and its folder."""
        folder = self.folder / name
        (folder / "workspace").mkdir(parents=True)
        inside = self._stack.enter_context(namespaces(own_network=True))
        container = build_container(self.settings, inside, self.images, self.login, folder)
        process = run_store(self.settings, container, folder / log)
        self._stack.callback(process.wait)
        self._stack.callback(os.kill, inside.pid, signal.SIGKILL)
        return inside, container, folder
