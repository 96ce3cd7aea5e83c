"""A program that starts with the first connection to its port, without a node."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from support.waiting import wait_for

from atwork.sandbox.clusters.node import on_demand
from atwork.sandbox.clusters.node.on_demand import OnDemand

PROGRAM = """
import os, socket, sys
port, _, descriptor = sys.argv[1].partition("=")
listener = socket.socket(fileno=int(descriptor))
assert listener.getsockname()[1] == int(port)
print("started", flush=True)
while True:
    connection, _ = listener.accept()
    connection.sendall(str(os.getpid()).encode())
    connection.close()
"""
SECONDS = 30


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OnDemand]:
    monkeypatch.setattr(on_demand, "_PAUSE_SECONDS", 0.0)
    listener = socket.create_server(("127.0.0.1", 0))
    program = OnDemand([sys.executable, "-c", PROGRAM], {listener.getsockname()[1]: listener}, tmp_path / "log")
    with listener, closing(program):
        yield program


def asked(program: OnDemand) -> int:
    """The process that answers."""
    [port] = program.listeners
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(SECONDS)
        program.wait(SECONDS)
        return int(client.recv(100))


def test_it_starts_with_the_first_connection_and_again_if_it_was_killed(program: OnDemand) -> None:
    program.wait(0.01)
    assert not program.log.exists()
    first = asked(program)
    program.wait(0.01)
    assert asked_without_a_start(program) == first
    os.kill(first, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(first)] if psutil.pid_exists(first) else [], timeout=SECONDS)
    assert asked(program) != first
    assert program.log.read_text() == "started\nstarted\n"


def asked_without_a_start(program: OnDemand) -> int:
    [port] = program.listeners
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(SECONDS)
        return int(client.recv(100))


def test_it_ends_with_its_parent(program: OnDemand) -> None:
    process = psutil.Process(asked(program))
    program.close()
    assert not process.is_running()
    program.close()


def test_a_program_that_ends_at_once_is_not_started_again_before_a_pause(
    program: OnDemand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_demand, "_PAUSE_SECONDS", 3600.0)
    program.command = [sys.executable, "-c", "print('ended')"]
    [port] = program.listeners
    with socket.create_connection(("127.0.0.1", port)):
        program.wait(SECONDS)
        wait_for(lambda: program.log.read_text() == "ended\n")
        for _ in range(5):
            program.wait(0.01)
    assert program.log.read_text() == "ended\n"


def test_without_ports_nothing_starts(tmp_path: Path) -> None:
    program = OnDemand(["false"], {}, tmp_path / "log")
    program.wait(0.01)
    program.close()
    assert not program.log.exists()
