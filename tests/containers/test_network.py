"""Connections between pods, without pods: whatever ends first, the other end is served and nothing is left open."""

from __future__ import annotations

import asyncio
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


def asked(forwarder: Forwarder, request: bytes) -> bytes:
    """The begin of the answer of a proxy that connects to a server which says hello, at 10.0.0.1 alone."""
    listener = socket.create_server(("127.0.0.1", 0))  # the forwarder closes it
    address = listener.getsockname()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def connect(host: str, port: int) -> socket.socket:
            if (host, port) != ("10.0.0.1", 80):
                raise ConnectionRefusedError(f"{host} is not\nthere")
            return socket.create_connection(server.getsockname())

        end = forwarder.proxy(listener, connect)
        with socket.create_connection(address) as client:
            client.sendall(request)
            answer = client.recv(1000)
            if answer.startswith(b"HTTP/1.1 200"):
                accepted, _ = server.accept()
                with accepted:
                    accepted.sendall(b"hello")
                    answer += client.recv(1000)
        end()
        return answer


def test_a_proxy_connects_to_what_it_may_and_says_why_not(forwarder: Forwarder) -> None:
    assert asked(forwarder, b"CONNECT 10.0.0.1:80 HTTP/1.1\r\n\r\n").endswith(b"\r\n\r\nhello")
    assert asked(forwarder, b"CONNECT 10.0.0.2:80 HTTP/1.1\r\n\r\n").startswith(
        b"HTTP/1.1 502 10.0.0.2 is not there\r\n"
    )
    assert asked(forwarder, b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 502 GET is not CONNECT")
    assert asked(forwarder, b"\r\n\r\n").startswith(b"HTTP/1.1 502 ")


def test_a_refused_client_reads_why_although_it_still_writes(forwarder: Forwarder) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> socket.socket:
        writer.write(b"no")
        raise ConnectionRefusedError("not this one")

    end = forwarder.answer(listener, refuse)
    with socket.create_connection(listener.getsockname()) as client:
        client.settimeout(10)
        for _ in range(5):
            client.sendall(b"a question")
            time.sleep(0.02)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b"no"
        assert client.recv(100) == b""
    end()


def test_an_accepted_client_is_connected_with_what_it_sends_next(forwarder: Forwarder) -> None:
    listener, server = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    target = server.getsockname()

    async def accept(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> socket.socket:
        assert await reader.readexactly(5) == b"first"
        return socket.create_connection(target)

    end = forwarder.answer(listener, accept)
    with server, socket.create_connection(listener.getsockname()) as client:
        client.sendall(b"first and second")
        accepted, _ = server.accept()
        with accepted:
            accepted.settimeout(10)
            assert accepted.recv(100) == b" and second"
    end()
