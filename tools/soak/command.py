"""Runs a command in a fork of a process that has imported the SDKs (atwork/engine/fork_server.py).

A soak runs thousands of commands, which spend most of their time with imports: the command itself, and the process that
forks its programs. Here, both are forks. What a kill meets stays the same: the process that forks programs is a child
of its command, has imported no part of a program, and ends with the command. Linux only, as these forks are.

    python command.py OUTPUT MODULE ARGUMENT…
"""

from __future__ import annotations

import importlib
import os
import socket
import sys

from atwork.engine import fork_server, forked

LIBRARIES = ("cryptography.x509", "filelock", "httpx", "rich.console", "rich.table", "typer")
"""What commands import in addition to `forked.PRELOADED`."""


class ForkingProcess:
    """The process that forks the programs of this command."""

    def __init__(self) -> None:
        self.connection, theirs = socket.socketpair()
        self.pid = os.fork()
        with theirs:
            if self.pid == 0:
                self.connection.close()
                os.setpgid(0, 0)
                fork_server.serve(theirs)
                os._exit(0)
        self._code: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._ended(os.WNOHANG)

    def wait(self) -> int | None:
        """Wait for the end; returns the exit code."""
        return self._ended(0)

    def _ended(self, options: int) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, options)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


def main() -> None:
    """Run the function `main` of a module, with its output in a file."""
    os.setpgid(0, 0)
    _, path, module, *arguments = sys.argv
    sys.argv = [module, *arguments]
    output = os.open(path, os.O_WRONLY)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    process = ForkingProcess()
    forked.SERVER.adopt(process, process.connection)
    try:
        importlib.import_module(module).main()
    finally:
        forked.SERVER.stop()  # a fork ends without the functions of `atexit`


if __name__ == "__main__":
    main()
