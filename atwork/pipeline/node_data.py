"""The program that plays Cloud SQL and Memorystore for the pods of a node (clusters/node/data_services.py).

Arguments: the checkout, the ID of the GKE cluster, and PORT=DESCRIPTOR for each listening socket. A pod reaches the
instances that the ConfigMap `platform` of its namespace names, if the simulated cloud lets its account log in.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from atwork.access.duties.methods import LOG_IN, LOG_IN_TO_REDIS
from atwork.containers import network
from atwork.containers.images import ImageStore, Unpacked
from atwork.containers.official_images import OfficialImage
from atwork.errors import UserError
from atwork.files import cache_folder
from atwork.pipeline.callers import Caller, Callers
from atwork.pipeline.service_databases import ServiceDatabases
from atwork.pipeline.service_redis import ServiceRedis
from atwork.sandbox.access_model import SandboxAccess
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters.api import Api, ApiError
from atwork.sandbox.clusters.node.data_services import INSTANCE, REDIS, REDIS_PORT, SQL_PORT
from atwork.sandbox.clusters.running import cluster_of
from atwork.sandbox.home import Home
from atwork.sandbox.images import official_images
from atwork.sandbox.secret_manager import GoogleRefused
from components.database_engine import postgres_user
from components.delivery import StoreName
from components.jenkins.stores import STORES, sidecar
from components.versions import IMAGES

_INTERVAL_SECONDS = 5.0
"""After which an instance that the simulated cloud no longer has is deleted, and images are used again."""
_SQL, _MEMORYSTORE = (tuple(call.removeprefix("permission:") for call in calls) for calls in (LOG_IN, LOG_IN_TO_REDIS))
_HEADER = struct.Struct("!II")
_SSL, _ENCRYPTION, _CANCEL = 80877103, 80877104, 80877102
"""Codes of first messages. https://www.postgresql.org/docs/18/protocol-message-formats.html"""
_LONGEST = 10_000


class DataRefused(ConnectionRefusedError):
    """A connection that is not accepted; the client has the reason."""


@dataclass(frozen=True)
class NodeData:
    """The data services of a node."""

    api: Api
    callers: Callers
    databases: ServiceDatabases
    redis: ServiceRedis

    async def accept_sql(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> socket.socket:
        """Connect a client of PostgreSQL to the instance of its namespace."""
        user, message = await _first_message(reader, writer)
        try:
            return await asyncio.to_thread(self._sql, _host(writer), user, message)
        except _ERRORS as error:
            text = b"".join(kind + value.encode() + b"\0" for kind, value in _fields(error)) + b"\0"
            writer.write(b"E" + struct.pack("!I", 4 + len(text)) + text)
            raise DataRefused(f"Cloud SQL: {error}") from None

    def _sql(self, address: str, user: str | None, message: bytes) -> socket.socket:
        caller = self.callers.at(address)
        with self.callers.reported(caller, "Cloud SQL"):
            connection = _fact(caller, INSTANCE)
            if user is not None:  # else it cancels a query, and the server decides
                self.callers.check(caller, _SQL, f"projects/{connection.rsplit(':', 2)[0]}")
                if user != postgres_user(caller.account):
                    raise GoogleRefused("UNAUTHENTICATED", _other_user(user, caller))
        return _sent(self.databases.connect(self.api, connection), message)

    async def accept_redis(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> socket.socket:
        """Connect a client of Redis to the instance of its namespace."""
        try:
            return await asyncio.to_thread(self._redis, _host(writer))
        except _ERRORS as error:
            writer.write(f"-NOPERM {' '.join(str(error).split())}\r\n".encode())
            raise DataRefused(f"Memorystore: {error}") from None

    def _redis(self, address: str) -> socket.socket:
        caller = self.callers.at(address)
        with self.callers.reported(caller, "Memorystore"):
            _fact(caller, REDIS)
            location = _fact(caller, "REDIS_URL")
            self.callers.check(caller, _MEMORYSTORE, self.redis.instance(location))
        return self.redis.connect(location)


_ERRORS = (UserError, OSError, ApiError)


def _other_user(user: str, caller: Caller) -> str:
    """What Cloud SQL says of a user that is not the caller's own, and who the caller is."""
    why = f'Cloud SQL IAM service account authentication failed for user "{user}"'
    return f"{why}: {caller.name} acts as {caller.account or 'no account'}"


def _fields(error: Exception) -> list[tuple[bytes, str]]:
    """Severity, code and message of an ErrorResponse; 28000 is an invalid authorization."""
    code = "28000" if isinstance(error, GoogleRefused) else "08006"
    return [(b"S", "FATAL"), (b"V", "FATAL"), (b"C", code), (b"M", str(error))]


async def _first_message(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str | None, bytes]:
    """The user of a first message, and the message; no user if it cancels a query. Encryption is declined."""
    while True:
        header = await reader.readexactly(_HEADER.size)
        length, code = _HEADER.unpack(header)
        if not _HEADER.size <= length <= _LONGEST:
            raise DataRefused("Cloud SQL: this is no client of PostgreSQL")
        body = await reader.readexactly(length - _HEADER.size)
        if code == _CANCEL:
            return None, header + body
        if code not in (_SSL, _ENCRYPTION):
            words = body.split(b"\0")
            return dict(zip(words[::2], words[1::2], strict=False)).get(b"user", b"").decode(
                errors="replace"
            ), header + body
        writer.write(b"N")


def _host(writer: asyncio.StreamWriter) -> str:
    return str(writer.get_extra_info("peername")[0])


def _fact(caller: Caller, name: str) -> str:
    if name not in caller.facts:
        raise GoogleRefused("NOT_FOUND", f"the namespace of {caller.name} has no {name}")
    return caller.facts[name]


def _sent(connection: socket.socket, message: bytes) -> socket.socket:
    connection.sendall(message)
    return connection


def _store(name: StoreName, arguments: Sequence[str]) -> Mapping[str, Any]:
    [container] = sidecar(name, IMAGES[name])["initContainers"]
    return {**container, "args": [*arguments, *STORES[name].alone]}


@dataclass(frozen=True)
class _Images:
    """Images of stores, which stay on this machine while they are used.

    Runs of pipelines remove all but those that were used last, if no other run holds the lock of the folder. A program
    that holds it for days would keep the images of all builds.
    """

    home: Home
    store: ImageStore
    roots: set[Path] = field(default_factory=set[Path])

    def image(self, reference: str) -> Unpacked:
        """The image that the sandbox fetched, or its stand-in."""
        official = OfficialImage.read(reference)
        self.store.folder.mkdir(parents=True, exist_ok=True)
        image = self.store.unpacked(official_images(self.home).layout(official, Console(stderr=True)))
        self.roots.add(image.root)
        return image

    def use(self) -> None:
        """Let the images be those that were used last."""
        for root in [*self.roots]:
            os.utime(root)


def _serve(home: Home, cluster: str, listeners: Mapping[int, socket.socket], stack: ExitStack) -> None:
    fleet, known = cluster_of(home, cluster)
    folder, cloud = fleet.folder / known.key / "data", Cloud(home.cloud)
    api = stack.enter_context(closing(Api(fleet.kubeconfig(known))))
    images = _Images(home, ImageStore(Path("crane"), cache_folder() / "unpacked"))
    databases = ServiceDatabases(_store("postgres", ()), cloud, images.image, folder / "cloud-sql", keeps_data=True)
    redis = ServiceRedis(_store("redis", STORES["redis"].arguments), cloud, images.image, folder / "memorystore")
    callers = Callers(api, cluster.split("/")[1], lambda: SandboxAccess(home.project).model())
    data = NodeData(api, callers, databases, redis)
    forwarder = network.Forwarder()
    for each in (databases, redis, forwarder):
        stack.callback(each.close)
    accepts = {SQL_PORT: data.accept_sql, REDIS_PORT: data.accept_redis}
    for port, listener in listeners.items():
        forwarder.answer(listener, accepts[port])
    while True:
        for each in (databases, redis):
            each.delete_missing()
        images.use()
        time.sleep(_INTERVAL_SECONDS)


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit()


def main() -> None:
    """Answer until SIGTERM."""
    signal.signal(signal.SIGTERM, _end)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    checkout, cluster, *ports = sys.argv[1:]
    pairs = (each.split("=") for each in ports)
    listeners = {int(port): socket.socket(fileno=int(descriptor)) for port, descriptor in pairs}
    with ExitStack() as stack:
        try:
            _serve(Home(Path(checkout)), cluster, listeners, stack)
        except UserError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
