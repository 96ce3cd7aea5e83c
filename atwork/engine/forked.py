"""Programs as forks of a process that has imported the SDKs (fork_server.py): the client side.

One server serves all engines of this process, so a run of several stacks imports the SDKs once. Linux only: elsewhere
libraries of the system do not survive a fork, and the language host starts a new interpreter for each program.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import RawIOBase
from pathlib import Path
from typing import IO, Any, Protocol

POSSIBLE = sys.platform == "linux"

PRELOADED = (
    "pulumi",
    "pulumi_policy",
    "pulumi_gcp.artifactregistry",
    "pulumi_gcp.billing",
    "pulumi_gcp.binaryauthorization",
    "pulumi_gcp.certificatemanager",
    "pulumi_gcp.compute",
    "pulumi_gcp.container",
    "pulumi_gcp.dns",
    "pulumi_gcp.gkebackup",
    "pulumi_gcp.kms",
    "pulumi_gcp.logging",
    "pulumi_gcp.memorystore",
    "pulumi_gcp.monitoring",
    "pulumi_gcp.networkconnectivity",
    "pulumi_gcp.projects",
    "pulumi_gcp.pubsub",
    "pulumi_gcp.secretmanager",
    "pulumi_gcp.serviceaccount",
    "pulumi_gcp.sql",
    "pulumi_kubernetes.admissionregistration.v1",
    "pulumi_kubernetes.apiextensions",
    "pulumi_kubernetes.batch.v1",
    "pulumi_kubernetes.core.v1",
    "pulumi_kubernetes.helm.v3",
    "pulumi_kubernetes.meta.v1",
    "pulumi_kubernetes.networking.v1",
    "pulumi_kubernetes.rbac.v1",
    "pulumi_kubernetes.scheduling.v1",
    "pulumi_kubernetes.storage.v1",
    # The package itself imports nothing until somebody asks for a name of it.
    "pydantic.fields",
    "pydantic.main",
    "pydantic.types",
    "pydantic.functional_validators",
    "pydantic.plugin._loader",
    "yaml",
)
"""What the program and the policies import from libraries; tests/engine/test_preloaded.py finds what is missing."""

_SERVER = Path(__file__).with_name("fork_server.py")


class ForkedProcess:
    """A running fork, with the part of Popen's interface that the language host uses."""

    def __init__(self, pid: int, status: RawIOBase, stdout: IO[bytes], stderr: IO[bytes]) -> None:
        self.pid = pid
        self.stdout, self.stderr = stdout, stderr
        self._status = status
        self._lock = threading.Lock()
        self._code: int | None = None

    def wait(self) -> int:
        """Wait for the end; returns the exit code, negative for a signal."""
        with self._lock:
            if self._code is None:
                # The server ends without an answer only if it was killed; programs then end by themselves (program.py).
                self._code = int(self._status.readline() or -signal.SIGKILL)
                self._status.close()
            return self._code

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        if self._lock.locked():
            return None  # somebody waits for the end
        ended = self._code is not None or select.select([self._status], [], [], 0)[0]
        return self.wait() if ended else None

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


class ServerProcess(Protocol):
    """The part of Popen's interface that a server needs."""

    @property
    def pid(self) -> int: ...  # noqa: D102
    def poll(self) -> int | None: ...  # noqa: D102
    def wait(self) -> int | None: ...  # noqa: D102


class ForkServer:
    """Starts the server with the first program or before it, and again if it was killed.

    `modules` are imported in the server; it has the environment of this process if none is given.
    """

    def __init__(self, modules: Sequence[str] = PRELOADED, environment: Mapping[str, str] | None = None) -> None:
        self._modules, self._environment = modules, environment
        self._lock = threading.Lock()
        self._process: ServerProcess | None = None
        self._connection: socket.socket | None = None
        self._used = False

    @property
    def pid(self) -> int | None:
        """The ID of the server's process; None before it is started."""
        return None if self._process is None else self._process.pid

    def adopt(self, process: ServerProcess, connection: socket.socket) -> None:
        """Use a process that runs `fork_server.serve` at the other end of a connection, instead of starting one."""
        self._process, self._connection = process, connection

    def prepare(self) -> None:
        """Start the server now, so that its imports are done when the first program comes."""
        self._running()

    def start(self, script: str, arguments: Sequence[str], *, cwd: str, env: Mapping[str, str]) -> ForkedProcess:
        """Run a script, or a folder with `__main__.py`, in a fork."""
        settings = {"script": script, "arguments": list(arguments), "folder": cwd, "environment": dict(env)}
        for _ in range(2):
            if (child := self._forked(settings)) is not None:
                return child
        raise ChildProcessError(f"{_SERVER.name}, which runs the programs, ended at once")

    def _forked(self, settings: Mapping[str, Any]) -> ForkedProcess | None:
        """Send a request; None if the server is being killed."""
        streams = [os.pipe() for _ in range(3)]
        process, connection = self._running()
        self._used = True
        with tempfile.TemporaryFile("w+") as request:
            json.dump(settings, request)
            request.seek(0)
            with suppress(BrokenPipeError):
                socket.send_fds(connection, [b"+"], [request.fileno(), *(write for _, write in streams)])
        for _, write in streams:
            os.close(write)
        stdout, stderr = (os.fdopen(read, "rb") for read, _ in streams[:2])
        status = os.fdopen(streams[2][0], "rb", buffering=0)  # so that `poll` sees all that was not read
        if pid := status.readline():
            return ForkedProcess(int(pid), status, stdout, stderr)
        for stream in (stdout, stderr, status):
            stream.close()
        process.wait()
        return None

    def stop(self) -> None:
        """End the server, with the programs that still run."""
        with self._lock:
            if self._process is not None and self._connection is not None:
                self._connection.close()
                if not self._used:  # it may still import, and has no program to end
                    os.kill(self._process.pid, signal.SIGKILL)
                self._process.wait()
                self._process = None

    def _running(self) -> tuple[ServerProcess, socket.socket]:
        with self._lock:
            if self._process is None or self._connection is None or self._process.poll() is not None:
                if self._connection is not None:
                    self._connection.close()
                self._connection, theirs = socket.socketpair()
                with theirs:
                    self._process = subprocess.Popen(
                        [sys.executable, "-u", str(_SERVER), str(theirs.fileno()), *self._modules],
                        env=self._environment,
                        stdin=subprocess.DEVNULL,
                        pass_fds=[theirs.fileno()],
                        process_group=0,
                    )
            return self._process, self._connection


SERVER = ForkServer()
"""The server of this process."""
atexit.register(SERVER.stop)
