"""Serves the simulated providers in the process that starts the engine, each on a free loopback port."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.provider.gcp.package import GoogleCloud
from atwork.sandbox.provider.kubernetes.package import Kubernetes
from atwork.sandbox.provider.servicer import ProviderServicer

_MESSAGE_SIZE = [("grpc.max_receive_message_length", 400 << 20), ("grpc.max_send_message_length", 400 << 20)]
_WORKERS = 64
"""Enough for a cancel to get through while faults let all calls of two engines hang."""


@dataclass(frozen=True)
class ProviderServers:
    """The served providers; the engine needs them until its command ends."""

    ports: dict[str, int]
    """Ports by package."""
    servers: tuple[grpc.Server, ...]

    def stop(self) -> None:
        """Stop the servers and wait for running calls."""
        for server in self.servers:
            server.stop(grace=None).wait()


def serve(
    cloud_path: Path, fleet: Fleet | None = None, interceptors: Sequence[grpc.ServerInterceptor] = ()
) -> ProviderServers:
    """Serve both packages; `CloudCorrupt` for a damaged file.

    With a fleet, clusters are real and their objects go to their API servers. Interceptors wrap all calls, the first
    one outermost.
    """
    cloud = Cloud(cloud_path)
    _log_to(cloud_path.parent / "logs" / "provider.log")
    ports: dict[str, int] = {}
    servers: list[grpc.Server] = []
    kubernetes = ProviderServicer(Kubernetes(), cloud) if fleet is None else _live(cloud, fleet)
    for name, servicer in {"gcp": ProviderServicer(GoogleCloud(fleet), cloud), "kubernetes": kubernetes}.items():
        server = grpc.server(ThreadPoolExecutor(_WORKERS), interceptors=list(interceptors), options=_MESSAGE_SIZE)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
        ports[name] = server.add_insecure_port("127.0.0.1:0")
        server.start()
        servers.append(server)
    return ProviderServers(ports, tuple(servers))


def _live(cloud: Cloud, fleet: Fleet) -> ProviderServicer:
    from atwork.sandbox.provider.kubernetes.live import LiveServicer  # the client of Kubernetes is slow to import

    return LiveServicer(Kubernetes(), cloud, fleet.connect, fleet.authority_at)


def _log_to(path: Path) -> None:
    log = logging.getLogger("atwork.sandbox.provider")
    log.propagate = False
    files = [handler.baseFilename for handler in log.handlers if isinstance(handler, logging.FileHandler)]
    if str(path) not in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, delay=True)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        log.addHandler(handler)
