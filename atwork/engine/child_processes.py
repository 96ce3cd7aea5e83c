"""The processes that the language host starts for one engine, and their output."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from queue import SimpleQueue
from typing import IO

import grpc

from atwork.engine import forked

Child = subprocess.Popen[bytes] | forked.ForkedProcess


class ChildProcesses:
    """The running processes of one engine; they end with the call that started them."""

    def __init__(self) -> None:
        self._running: set[Child] = set()
        self._lock = threading.Lock()

    @contextmanager
    def started(
        self, python: str, script: list[str], context: grpc.ServicerContext, *, cwd: str, env: Mapping[str, str]
    ) -> Generator[Child]:
        """Start a script with its arguments; kill it if it still runs at the end of the block."""
        child: Child
        if forked.POSSIBLE and python == sys.executable:
            child = forked.SERVER.start(script[0], script[1:], cwd=cwd, env=env)
        else:
            child = subprocess.Popen(
                [python, "-u", *script],
                cwd=cwd,
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
            )
        with self._lock:
            self._running.add(child)
        context.add_callback(lambda: self._ended(child))
        try:
            yield child
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()
            for stream in (child.stdout, child.stderr):
                if stream is not None:
                    stream.close()

    def terminate(self) -> None:
        """Terminate all running processes."""
        with self._lock:
            for child in self._running:
                child.terminate()

    def _ended(self, child: Child) -> None:
        if child.poll() is None:
            child.terminate()
        with self._lock:
            self._running.discard(child)


def forward(child: Child) -> str:
    """Print the process's standard output to standard error, next to the engine's display; return its errors."""
    errors: list[bytes] = []
    for stream, line in lines(child):
        if stream == "stdout":
            sys.stderr.buffer.write(line)
        else:
            errors.append(line)
    sys.stderr.flush()
    return b"".join(errors).decode(errors="replace")


def lines(child: Child) -> Iterator[tuple[str, bytes]]:
    """Lines of both streams as they are printed, each with the stream's name, until both are closed."""
    queue: SimpleQueue[tuple[str, bytes]] = SimpleQueue()

    def read(name: str, stream: IO[bytes]) -> None:
        for line in stream:
            queue.put((name, line))
        queue.put((name, b""))

    streams = {"stdout": child.stdout, "stderr": child.stderr}
    for name, stream in streams.items():
        assert stream is not None  # noqa: S101 (`started` opens both pipes)
        threading.Thread(target=read, args=(name, stream), daemon=True).start()
    unfinished = len(streams)
    while unfinished:
        name, line = queue.get()
        if line:
            yield name, line
        else:
            unfinished -= 1
