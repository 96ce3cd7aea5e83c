"""A Python process that has imported the SDKs and runs each program in a fork of itself: no program imports them again.

The language host (forked.py) starts it by `python fork_server.py SOCKET MODULE…`. A request is four file descriptors:
the request as JSON, the program's two output streams, and a pipe on which the server answers with the process ID of the
fork and, when it ended, its exit code (negative for a signal). The server kills its forks and ends when the socket is
closed, that is when the language host has ended.

It imports nothing of atwork. It starts no thread and opens no gRPC channel, because neither survives a fork.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import NoReturn


@dataclass(frozen=True)
class _Fork:
    pid: int
    status: int


def serve(connection: socket.socket) -> None:
    """Fork for each request until the socket is closed."""
    running: dict[int, _Fork] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd in running:
                    fork = running.pop(key.fd)
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    _report(fork)
                    continue
                message, descriptors, _, _ = socket.recv_fds(connection, 1, 4)
                if not message:
                    for fork in running.values():
                        os.kill(fork.pid, signal.SIGKILL)
                        os.waitpid(fork.pid, 0)
                    return
                request, output, errors, status = descriptors
                pid = os.fork()
                if pid == 0:
                    _run(request, output, errors)
                for descriptor in (request, output, errors):
                    os.close(descriptor)
                os.write(status, f"{pid}\n".encode())
                handle = os.pidfd_open(pid)
                running[handle] = _Fork(pid, status)
                selector.register(handle, selectors.EVENT_READ)


def _report(fork: _Fork) -> None:
    _, status = os.waitpid(fork.pid, 0)
    with suppress(BrokenPipeError):
        os.write(fork.status, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os.close(fork.status)


def _run(request: int, output: int, errors: int) -> NoReturn:
    """Become the process of one program; only its own streams stay open."""
    with os.fdopen(request) as file:
        settings = json.load(file)
    os.dup2(output, 1)
    os.dup2(errors, 2)
    for number in [int(each.name) for each in Path("/proc/self/fd").iterdir()]:
        if number > 2:
            with suppress(OSError):  # the descriptor of this list itself
                os.close(number)
    script = Path(settings["script"])
    Path("/proc/self/comm").write_text(script.name)  # what `ps` and the benchmark call this process
    os.chdir(settings["folder"])
    os.environ.clear()
    os.environ.update(settings["environment"])
    sys.argv = [str(script), *settings["arguments"]]
    sys.path[0] = str(script.parent)
    code = 0
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as end:
        code = _exit_code(end)
    except BaseException:  # noqa: BLE001 (the end of a process, as the interpreter ends it)
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _exit_code(end: SystemExit) -> int:
    if isinstance(end.code, str):
        print(end.code, file=sys.stderr)
        return 1
    return end.code or 0


def preload(modules: Iterable[str]) -> None:
    """Import the modules; one that does not exist is left to the program that needs it."""
    for module in modules:
        with suppress(ImportError):
            importlib.import_module(module)
            # The SDKs load a module and its packages when something asks for an attribute (`lazy_import` of pulumi).
            for package in accumulate(module.split("."), "{}.{}".format):
                getattr(sys.modules[package], "__all__", None)


def main() -> None:
    """Import the modules and serve."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    gc.disable()
    preload(sys.argv[2:])
    gc.freeze()
    gc.enable()
    serve(connection)


if __name__ == "__main__":
    main()
