"""A command of a soak behaves as one that was started by itself."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from atwork.engine.forked import POSSIBLE, ForkedProcess, ForkServer
from tools.soak import command

pytestmark = pytest.mark.skipif(not POSSIBLE, reason="programs are forked on Linux only")

COMMAND = """\
import os, signal, sys
from atwork.engine import forked

def main():
    print(sys.argv[1:], os.getpgrp() == os.getpid(), file=sys.stderr, flush=True)
    with open("program.py", "w") as file:
        file.write("import os, sys; print([name for name in ('components', 'infra', 'policies', 'pulumi') if name in sys.modules], os.getppid())")
    for _ in range(2):
        child = forked.SERVER.start("program.py", [], cwd=".", env=os.environ)
        print(child.stdout.read().decode(), end="", flush=True)
    if sys.argv[1] == "hang":
        signal.pause()
    sys.exit(3)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForkServer]:
    (tmp_path / "example.py").write_text(COMMAND)
    started = ForkServer(["pulumi"], {**os.environ, "PYTHONPATH": str(tmp_path), "ONLY_HERE": "x"})
    yield started
    started.stop()


def start(server: ForkServer, folder: Path, word: str) -> ForkedProcess:
    (folder / "output").touch()
    arguments = [str(folder / "output"), "example", word]
    return server.start(command.__file__, arguments, cwd=str(folder), env=os.environ)


def close(child: ForkedProcess) -> None:
    child.stdout.close()
    child.stderr.close()


def test_a_command_has_its_own_group_and_its_own_process_that_forks_programs(
    server: ForkServer, tmp_path: Path
) -> None:
    child = start(server, tmp_path, "a b")
    assert child.wait() == 3
    close(child)
    first, *programs = (tmp_path / "output").read_text().splitlines()
    assert first == "['a b'] True"
    assert len(programs) == 2
    assert len(set(programs)) == 1, "one process forks both programs"
    modules, _, parent = programs[0].rpartition(" ")
    assert modules == "['pulumi']"
    assert int(parent) not in {child.pid, server.pid}
    assert not psutil.pid_exists(int(parent))


def test_the_process_that_forks_programs_ends_with_its_command(server: ForkServer, tmp_path: Path) -> None:
    child = start(server, tmp_path, "hang")
    while (tmp_path / "output").read_text().count("pulumi") < 2:
        assert child.poll() is None, (tmp_path / "output").read_text()
        time.sleep(0.01)
    [forking] = psutil.Process(child.pid).children()
    assert forking.environ()["ONLY_HERE"] == "x", "`Engines.running` finds processes by their environment"
    child.kill()
    assert child.wait() == -9
    close(child)
    forking.wait(60)


def test_a_killed_process_that_forks_programs_is_replaced(tmp_path: Path) -> None:
    process = command.ForkingProcess()
    assert process.poll() is None
    psutil.Process(process.pid).kill()
    assert process.wait() == process.poll() == -9
    server = ForkServer(["json"])
    server.adopt(process, process.connection)
    (tmp_path / "program.py").write_text("print(6 * 7)")
    try:
        child = server.start("program.py", [], cwd=str(tmp_path), env=os.environ)
        assert child.stdout.read() == b"42\n"
        assert child.wait() == 0
        assert server.pid != process.pid
        close(child)
    finally:
        server.stop()
