"""Connections between pods, without pods: whatever ends first, the other end is served and nothing is left open."""

from __future__ import annotations

import gc
import socket
import time
from collections.abc import Iterator

import pytest

from atwork.containers.network import Forwarder


@pytest.fixture
def forwarder() -> Iterator[Forwarder]:
    forwarder = Forwarder()
    yield forwarder
    forwarder.close()


def test_an_answer_arrives_after_the_asking_end_has_closed_its_direction(forwarder: Forwarder) -> None:
    listener, server = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    address, target = listener.getsockname(), server.getsockname()
    end = forwarder.forward(listener, lambda: socket.create_connection(target))
    with server, socket.create_connection(address) as client:
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        accepted, _ = server.accept()
        with accepted:
            accepted.settimeout(10)
            assert accepted.recv(100) == b"question"
            assert accepted.recv(100) == b""
            for _ in range(3):
                time.sleep(0.05)  # the thread goes on to wait for the answer
                gc.collect()
            accepted.sendall(b"answer")
        client.settimeout(10)
        assert client.recv(100) == b"answer"
        assert client.recv(100) == b""
    end()
