"""`atwork sandbox open`: a port of this machine that leads to a service on a real node."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress

from atwork.containers.network import Dial, Forwarder
from atwork.errors import SandboxError, UsageError
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.cluster import Cluster
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.clusters.running import fleet_of
from atwork.sandbox.clusters.service_network import ServiceNetwork
from atwork.sandbox.home import here

_START_SECONDS = 60.0


def run(service: str, environment: str, namespace: str) -> int:
    """Print the address of a service, and answer there until Ctrl-C."""
    fleet = fleet_of(here())
    if fleet is None or not fleet.real_nodes:
        raise SandboxError(
            "the sandbox has no real nodes, so that no service runs; run `atwork sandbox reset`, then "
            "`atwork sandbox up --nodes real`"
        )
    with opened(fleet, service, environment, namespace) as address:
        print(f"http://{address}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


@contextmanager
def opened(fleet: Fleet, service: str, environment: str = "", namespace: str = "") -> Generator[str]:
    """HOST:PORT on loopback that leads to a service, until the end; `UsageError` if it is nowhere.

    Without an environment, it is the first one where a pod of the service is ready. A namespace has the name of its
    service, except preview namespaces.
    """
    namespace = namespace or service
    places: list[str] = []
    for cluster in _clusters(fleet, environment):
        started = not fleet.running(cluster)
        if started:
            fleet.start(cluster)
        with closing(Api(fleet.kubeconfig(cluster))) as api:
            if api.get(api.place("v1", "Service"), namespace, service) is None:
                continue
            places.append(cluster.environment)
            dial = ServiceNetwork(api, fleet.node(cluster), _refuse).dial(namespace, service)
            if not _answers(dial, _START_SECONDS if started else 0):
                continue
            listener = socket.create_server(("127.0.0.1", 0))
            with closing(Forwarder()) as forwarder:
                forwarder.forward(listener, dial)
                yield "{}:{}".format(*listener.getsockname())
            return
    where = environment or "any environment"
    if not places:
        raise UsageError(
            f"{service}: not found in the namespace {namespace} of {where}; deploy it: "
            "`atwork service run REPOSITORY --stage deploy`"
        )
    raise SandboxError(
        f"{service}: no pod on a real node is ready in {', '.join(places)}; `atwork sandbox status` says why"
    )


def _clusters(fleet: Fleet, environment: str) -> list[Cluster]:
    chosen = [each for each in fleet.clusters() if each.managed and environment in ("", each.environment)]
    if not chosen:
        raise UsageError(f"--environment {environment}: no environment with a real cluster in the sandbox")
    return chosen


def _answers(dial: Dial, seconds: float) -> bool:
    """Whether a pod takes connections, now or within the seconds that pods need after the start of their node."""
    end = time.monotonic() + seconds
    while True:
        with suppress(OSError):
            dial().close()
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.2)


def _refuse(_uid: str, _port: int) -> socket.socket:
    raise ConnectionRefusedError("the pod runs on no real node")
