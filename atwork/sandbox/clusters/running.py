"""The real clusters during a command: all of them running, the plugin on PATH, GKE's controllers simulated."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console

from atwork.errors import SandboxError
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.choice import Choice, ClusterKind
from atwork.sandbox.clusters.cluster import Cluster
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.clusters.gke import GkeControllers
from atwork.sandbox.clusters.node_pools import Pool, pools_of
from atwork.sandbox.home import Home
from components.type_tokens import CLUSTER, NODE_POOL, REPOSITORY


def fleet_of(home: Home, console: Console | None = None) -> Fleet | None:
    """The real clusters of a sandbox; None if its clusters are simulated."""
    choice = Choice.kept(home.folder)
    if choice is None or choice.kind == ClusterKind.simulated:
        return None
    return Fleet(home.folder / "clusters", home.folder / "bin", choice, console or Console(stderr=True))


def cluster_of(home: Home, identity: str) -> tuple[Fleet, Cluster]:
    """The fleet of a sandbox, and the real cluster of the GKE cluster with an ID; `SandboxError` if it is not there."""
    fleet = fleet_of(home)
    known = {cluster.identity: cluster for cluster in fleet.clusters()} if fleet else {}
    if fleet is None or identity not in known:
        raise SandboxError(f"{identity}: not a cluster of this sandbox; run `atwork sandbox up`")
    return fleet, known[identity]


@contextmanager
def real_clusters(home: Home, console: Console | None) -> Generator[Fleet | None]:
    """The fleet with all its programs running; None if clusters are simulated."""
    fleet = fleet_of(home, console)
    if fleet is None:
        yield None
        return
    cloud = Cloud(home.cloud)
    fleet.resume({cluster.id for cluster in cloud.objects("", CLUSTER)})
    _describe_registry(fleet, cloud)
    # The client starts `gke-gcloud-auth-plugin` from PATH, as kubectl and the official provider do.
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(home.folder / "bin"), before])
    clients = _Clients(fleet, cloud)
    thread = GkeControllers(clients.clusters)
    thread.start()
    try:
        yield fleet
    finally:
        thread.stop()
        clients.close()
        _describe_registry(fleet, cloud)
        os.environ["PATH"] = before


def _describe_registry(fleet: Fleet, cloud: Cloud) -> None:
    """Let the registry of real nodes answer for the repositories that the simulated cloud has now."""
    if not fleet.registry.daemon.alive():
        return
    repositories = [item for item in cloud.objects("", REPOSITORY) if item.inputs.get("format") == "DOCKER"]
    hosts = sorted({f"{_location(item.id)}-docker.pkg.dev" for item in repositories})
    immutable = [
        f"{item.id.split('/')[1]}/{item.id.rpartition('/')[2]}"
        for item in repositories
        if (item.inputs.get("dockerConfig") or {}).get("immutableTags")
    ]
    fleet.registry.describe(next(iter(hosts), ""), immutable)


class _Clients:
    """A client for each running cluster, with the node pools that the cluster has in the simulated cloud."""

    def __init__(self, fleet: Fleet, cloud: Cloud) -> None:
        self._fleet, self._cloud = fleet, cloud
        self._apis: dict[str, Api] = {}

    def clusters(self) -> Iterator[tuple[Api, Mapping[str, Pool]]]:
        """The managed clusters that run now; a cluster that is still starting follows at the next interval."""
        pools = self._cloud.objects("", NODE_POOL)
        for cluster in self._fleet.clusters():
            if not (cluster.managed and self._fleet.running(cluster)):
                continue
            if cluster.server not in self._apis:
                self._apis[cluster.server] = Api(self._fleet.kubeconfig(cluster))
            location = _location(cluster.identity)
            own = [(pool.inputs, location) for pool in pools if pool.id.startswith(cluster.identity)]
            yield self._apis[cluster.server], dict(pools_of(own))

    def close(self) -> None:
        """Close the connections."""
        for api in self._apis.values():
            api.close()


def _location(identity: str) -> str:
    """The location in projects/P/locations/L/…."""
    return identity.split("/")[3]
