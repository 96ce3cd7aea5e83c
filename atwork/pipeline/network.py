"""Connections between the pods that run on this machine.

Each pod has a network of its own with loopback alone. Its Services listen at addresses of this loopback, and a thread
connects each request to a ready pod, in the network of that pod. No interface, route or rule of the machine is changed.
Network policies are not enforced.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from atwork.errors import UserError

log = logging.getLogger("atwork.pipeline")

_NEW_NETWORK = 0x40000000  # linux/sched.h CLONE_NEWNET
_CHUNK = 1 << 16
_CONNECT_SECONDS = 5
_libc = ctypes.CDLL(None, use_errno=True)

Dial = Callable[[], socket.socket]
"""Connects to whatever a connection is for; raises `OSError`."""


def listen(pid: int, address: str, port: int) -> socket.socket:
    """A listening socket in the network of a process; `OSError` if the port is in use."""
    return _inside(pid, lambda: socket.create_server((address, port)))


def connect(pid: int, port: int) -> socket.socket:
    """A connection to a port of loopback in the network of a process."""
    return _inside(pid, lambda: socket.create_connection(("127.0.0.1", port), _CONNECT_SECONDS))


def _inside(pid: int, work: Dial) -> socket.socket:
    """Open a socket in the network of a process. A socket stays in its network; the thread that entered it ends."""

    def enter() -> socket.socket:
        with Path(f"/proc/{pid}/ns/net").open() as namespace:
            if _libc.setns(namespace.fileno(), _NEW_NETWORK):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))
        return work()

    with ThreadPoolExecutor(1) as single:
        return single.submit(enter).result()


class Forwarder:
    """Carries connections of listening sockets to where `dial` connects, in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._servers: set[asyncio.Server] = set()
        self._connections: set[asyncio.Task[None] | None] = set()
        """asyncio itself forgets a task that waits for one end after the other has ended."""
        self._thread = threading.Thread(target=self._loop.run_forever, name="forwarder", daemon=True)
        self._thread.start()

    def forward(self, listener: socket.socket, dial: Dial) -> Callable[[], None]:
        """Forward until the returned function is called."""

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            self._connections.add(task)
            try:
                await self._carry(reader, writer, dial)
            finally:
                self._connections.discard(task)

        server = asyncio.run_coroutine_threadsafe(asyncio.start_server(carry, sock=listener), self._loop).result()
        self._servers.add(server)
        return lambda: self._end(server)

    def close(self) -> None:
        """End all connections."""
        asyncio.run_coroutine_threadsafe(self._shut_down(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dial: Dial) -> None:
        ends = [writer]
        try:
            target = await self._loop.run_in_executor(None, dial)
            there, back = await asyncio.open_connection(sock=target)
            ends.append(back)
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
            for end in ends:
                end.close()
                await end.wait_closed()
        except (OSError, UserError) as error:
            log.info("%s", error)
        finally:
            for end in ends:  # an end that is not closed yet is reset, as from a port where nobody listens
                end.transport.abort()

    def _end(self, server: asyncio.Server) -> None:
        self._servers.discard(server)
        self._loop.call_soon_threadsafe(server.close)

    async def _shut_down(self) -> None:
        for server in self._servers:
            server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._loop.shutdown_default_executor()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    writer.write_eof()
