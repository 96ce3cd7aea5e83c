"""The registry from which nodes pull: it plays Artifact Registry, stays between commands, and keeps its images.

A session of a pipeline uses the same program (atwork/sandbox/endpoints.py), with its own tokens and clusters. The
tokens of nodes are in a file of their own, so that neither changes what the other wrote.
"""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import time
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from atwork.errors import SandboxError
from atwork.files import replace_file
from atwork.sandbox.clusters.daemon import Daemon, free_port
from atwork.sandbox.endpoints import Endpoints, write_certificates

_READY_SECONDS = 60.0
_SESSION_SECONDS = 5.0
"""Longer than `describe` holds the lock."""


@dataclass(frozen=True)
class RegistryAccess:
    """How a node reaches the registry."""

    port: int
    """Of loopback; an HTTPS proxy."""
    authority: bytes
    token: str


@dataclass(frozen=True)
class NodeRegistry:
    """The registry of all nodes of a sandbox, with its images in a folder."""

    folder: Path

    @property
    def daemon(self) -> Daemon:
        """Its program."""
        return Daemon("registry", self.folder)

    def start(self, program: Path) -> None:
        """Start it if it does not run, and wait until it listens."""
        for part in ("blobs", "manifests"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        if not (self.folder / "port").exists():
            replace_file(self.folder / "port", str(free_port()))
        if not (self.folder / "endpoints.json").exists():
            replace_file(self._nodes, "{}", mode=0o600)
            self._write(self.endpoints("", ()))
        options = {
            "settings": self.folder / "endpoints.json",
            "blobs": self.folder / "blobs",
            "manifests": self.folder / "manifests",
            "listen": self._address,
        }
        self.daemon.start([str(program), *(f"-{name}={value}" for name, value in options.items())])
        end = time.monotonic() + _READY_SECONDS
        while not self._listens():
            if not self.daemon.alive() or time.monotonic() > end:
                raise SandboxError(f"{self.daemon.log}: the registry of the nodes ended: {self.daemon.last_output()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it and keep its images."""
        self.daemon.stop()

    def remove(self) -> None:
        """Stop it and delete its images."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def admit(self, node: str, command: Sequence[str], cluster: str = "", google: Sequence[str] = ()) -> RegistryAccess:
        """Give a node its token; for each pull, the command prints who it is and what it may read (JSON).

        `google` is what answers to the pods of the GKE cluster with this ID (atwork/sandbox/node_google.py).
        """
        known = json.loads(self._nodes.read_text())
        token = next((token for token, holder in known.items() if holder["node"] == node), secrets.token_urlsafe(24))
        known[token] = {"node": node, "command": list(command), "cluster": cluster, "google": list(google)}
        replace_file(self._nodes, json.dumps(known), mode=0o600)
        return RegistryAccess(int((self.folder / "port").read_text()), (self.folder / "ca.crt").read_bytes(), token)

    def dismiss(self, node: str) -> None:
        """Forget the token of a node."""
        if self._nodes.exists():
            known = json.loads(self._nodes.read_text())
            left = {token: holder for token, holder in known.items() if holder["node"] != node}
            replace_file(self._nodes, json.dumps(left), mode=0o600)

    def endpoints(self, host: str, immutable: Sequence[str]) -> Endpoints:
        """The settings of the program for the registry alone."""
        location = host.partition("-docker.")[0]
        settings = Endpoints(self.folder, host, location, tuple(immutable), {})
        settings.proxy, settings.nodes = self._address, str(self._nodes)
        return settings

    def describe(self, host: str, immutable: Sequence[str]) -> None:
        """Answer for a host, with repositories whose tags never move; a session that runs has done so already."""
        try:
            with self._lock(0):
                self._write(self.endpoints(host, immutable))
        except Timeout:
            pass

    @contextmanager
    def session(self, endpoints: Endpoints) -> Generator[Endpoints]:
        """Let the program answer for all endpoints of a session until its end; `SandboxError` if another one runs."""
        try:
            lock = self._lock(_SESSION_SECONDS)
        except Timeout:
            raise SandboxError("another command uses the registry of this sandbox; wait until it ends") from None
        with lock:
            alone = self.endpoints(endpoints.registry, endpoints.immutable)
            endpoints.folder, endpoints.proxy, endpoints.nodes = alone.folder, alone.proxy, alone.nodes
            self._write(endpoints)
            try:
                yield endpoints
            finally:
                self._write(alone)

    def _write(self, endpoints: Endpoints) -> None:
        write_certificates(self.folder, endpoints, keep=True)
        endpoints.save()

    def _lock(self, seconds: float) -> AbstractContextManager[object]:
        return FileLock(self.folder / "lock").acquire(timeout=seconds)

    def _listens(self) -> bool:
        host, _, port = self._address.partition(":")
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except OSError:
            return False
        return True

    @property
    def _address(self) -> str:
        return f"127.0.0.1:{(self.folder / 'port').read_text()}"

    @property
    def _nodes(self) -> Path:
        return self.folder / "nodes.json"
