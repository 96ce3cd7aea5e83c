"""Connections into and between the networks of containers on this machine.

Each pod of a run has a network of its own with loopback alone. Its Services listen at addresses of this loopback, and a
thread connects each request to a ready pod, in the network of that pod. No interface, route or rule of the machine is
changed. Network policies are not enforced.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import ipaddress
import logging
import os
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from atwork.errors import UserError

log = logging.getLogger("atwork.containers")

_NEW_NETWORK = 0x40000000  # linux/sched.h CLONE_NEWNET
_ADD_BRIDGE = 0x89A0  # linux/sockios.h SIOCBRADDBR, and the next ones
_SET_FLAGS, _SET_ADDRESS, _SET_MASK = 0x8914, 0x8916, 0x891C
_UP = 0x1  # linux/if.h IFF_UP, and linux/route.h RTF_UP
_ADD_ROUTE = 0x890B  # linux/sockios.h SIOCADDRT
_ROUTE = "L16s16s16sHhLPhPLLH"  # linux/route.h struct rtentry
_CHUNK = 1 << 16
_CONNECT_SECONDS = 5
_libc = ctypes.CDLL(None, use_errno=True)

Dial = Callable[[], socket.socket]
"""Connects to whatever a connection is for; raises `OSError`."""

Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[socket.socket]]
"""Decides about a connection, by its client and by what it sends first; connects to what is to answer the rest.

Raises `UserError` or `OSError` for a connection that ends, after what it wrote is sent.
"""

_Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


def listen(pid: int, address: str, port: int) -> socket.socket:
    """A listening socket in the network of a process; `OSError` if the port is in use."""
    return _inside(pid, lambda: socket.create_server((address, port)))


def connect(pid: int, port: int, address: str = "127.0.0.1") -> socket.socket:
    """A connection to a port that the network of a process has or reaches."""
    return _inside(pid, lambda: socket.create_connection((address, port), _CONNECT_SECONDS))


def add_bridge(pid: int, name: str, address: ipaddress.IPv4Interface) -> None:
    """Create a bridge with an address in the network of a process."""
    with _inside(pid, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as control:
        interface = name.encode()
        fcntl.ioctl(control, _ADD_BRIDGE, interface.ljust(16, b"\0"))
        for request, value in ((_SET_ADDRESS, address.ip), (_SET_MASK, address.netmask)):
            fcntl.ioctl(control, request, struct.pack("16sHH4s8x", interface, socket.AF_INET, 0, value.packed))
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh14x", interface, _UP))


def add_route(pid: int, name: str, addresses: ipaddress.IPv4Network) -> None:
    """Send packets for these addresses, in the network of a process, to one of its interfaces."""
    interface = ctypes.create_string_buffer(name.encode())
    target, mask = (
        struct.pack("HH4s8x", socket.AF_INET, 0, each.packed) for each in (addresses.network_address, addresses.netmask)
    )
    device = ctypes.addressof(interface)
    with _inside(pid, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as control:
        fcntl.ioctl(control, _ADD_ROUTE, struct.pack(_ROUTE, 0, target, b"", mask, _UP, 0, 0, 0, 0, device, 0, 0, 0))


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
        return self._serve(listener, lambda reader, writer: self._carry(reader, writer, dial))

    def answer(self, listener: socket.socket, accept: Accept) -> Callable[[], None]:
        """Forward what `accept` accepts, until the returned function is called."""
        return self._serve(listener, lambda reader, writer: self._accept(reader, writer, accept))

    def proxy(self, listener: socket.socket, connect: Callable[[str, int], socket.socket]) -> Callable[[], None]:
        """Be an HTTP proxy whose clients CONNECT to a host and port, until the returned function is called."""
        return self._serve(listener, lambda reader, writer: self._tunnel(reader, writer, connect))

    def _serve(self, listener: socket.socket, handle: _Handler) -> Callable[[], None]:
        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            self._connections.add(task)
            try:
                await handle(reader, writer)
            except asyncio.CancelledError:  # by `close`; asyncio of Python 3.11 would log it as an error
                log.debug("a connection was ended")
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

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, accept: Accept) -> None:
        try:
            target = await accept(reader, writer)
        except (OSError, UserError, asyncio.IncompleteReadError) as error:
            log.warning("%s", error)
            await _refuse(reader, writer)
            return
        await self._carry(reader, writer, lambda: target)

    async def _tunnel(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connect: Callable[[str, int], socket.socket]
    ) -> None:
        try:
            host, port = _destination(await reader.readuntil(b"\r\n\r\n"))
            target = await self._loop.run_in_executor(None, connect, host, port)
        except (OSError, UserError, ValueError, asyncio.IncompleteReadError) as error:
            writer.write(f"HTTP/1.1 502 {' '.join(str(error).split())}\r\nContent-Length: 0\r\n\r\n".encode())
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await self._carry(reader, writer, lambda: target)

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


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """End a connection after what was written to it is sent.

    An end that is closed before it has read everything resets the connection, and what it wrote is lost.
    """
    try:
        writer.write_eof()
        await asyncio.wait_for(reader.read(), _CONNECT_SECONDS)
        writer.close()
        await writer.wait_closed()
    except (OSError, TimeoutError):
        log.info("a client that was refused did not end")
    finally:
        writer.transport.abort()


def _destination(request: bytes) -> tuple[str, int]:
    """Host and port that a client of a proxy wants; `ValueError` if that is not what it asks for."""
    method, address, _ = request.decode("latin-1").split("\r\n")[0].split()
    host, _, port = address.rpartition(":")
    if method != "CONNECT":
        raise ValueError(f"{method} is not CONNECT")
    return host, int(port)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    writer.write_eof()
