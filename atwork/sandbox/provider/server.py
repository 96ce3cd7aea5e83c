"""Serves the simulated providers inside the process that starts the engine: no daemon, no fixed port."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.faults.hook import Faults
from atwork.sandbox.faults.store import Store
from atwork.sandbox.journal import Journal
from atwork.sandbox.provider.gcp import GoogleCloud
from atwork.sandbox.provider.kubernetes import Kubernetes
from atwork.sandbox.provider.servicer import Servicer

_MESSAGE_SIZE = [("grpc.max_receive_message_length", 400 << 20), ("grpc.max_send_message_length", 400 << 20)]
_WORKERS = 64
"""Enough that a cancel still gets through when faults let all calls of two engines hang."""


@dataclass(frozen=True)
class Running:
    """The served providers; keep it as long as an engine uses them."""

    ports: dict[str, int]
    servers: tuple[grpc.Server, ...]
    journal: Journal

    def stop(self) -> None:
        """End the services and wait for what is under way."""
        for server in self.servers:
            server.stop(grace=None).wait()
        self.journal.close()


def serve(cloud_path: Path, fleet: Fleet | None = None) -> Running:
    """Serve every package on a free loopback port of its own; raises `CloudCorrupt` for a damaged file.

    With a fleet, clusters are real and what is in them goes to their API servers.
    """
    cloud = Cloud(cloud_path)
    _log_to(cloud_path.parent / "logs" / "provider.log")
    faults, journal = Faults(Store(cloud_path.with_name("faults.sqlite"))), Journal(cloud_path.with_name("running"))
    ports: dict[str, int] = {}
    servers: list[grpc.Server] = []
    inside = Servicer(Kubernetes(), cloud) if fleet is None else _live(cloud, fleet)
    for name, servicer in {"gcp": Servicer(GoogleCloud(fleet), cloud), "kubernetes": inside}.items():
        server = grpc.server(ThreadPoolExecutor(_WORKERS), interceptors=[journal, faults], options=_MESSAGE_SIZE)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
        ports[name] = server.add_insecure_port("127.0.0.1:0")
        server.start()
        servers.append(server)
    return Running(ports, tuple(servers), journal)


def _live(cloud: Cloud, fleet: Fleet) -> Servicer:
    from atwork.sandbox.provider.kubernetes.live import Live  # the client of Kubernetes is slow to import

    return Live(Kubernetes(), cloud, fleet.connect, fleet.authority_at)


def _log_to(path: Path) -> None:
    log = logging.getLogger("atwork.sandbox.provider")
    log.propagate = False
    if not any(isinstance(one, logging.FileHandler) and one.baseFilename == str(path) for one in log.handlers):
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, delay=True)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        log.addHandler(handler)
