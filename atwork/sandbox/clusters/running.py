"""The real clusters while one command is at work: all of them up, their plugin on PATH, GKE played."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console

from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.choice import Choice, Kind
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.clusters.gke import GkeControllers
from atwork.sandbox.clusters.node_pools import Pool, pools_of
from atwork.sandbox.home import Home
from components.type_tokens import CLUSTER, NODE_POOL


def fleet_of(home: Home, console: Console | None = None) -> Fleet | None:
    """The real clusters of a sandbox; None where its clusters are simulated."""
    choice = Choice.kept(home.folder)
    if choice is None or choice.kind == Kind.simulated:
        return None
    return Fleet(home.folder / "clusters", home.folder / "bin", choice, console or Console(stderr=True))


@contextmanager
def real_clusters(home: Home, console: Console | None) -> Generator[Fleet | None]:
    """The fleet, everything of it running; nothing where clusters are simulated."""
    fleet = fleet_of(home, console)
    if fleet is None:
        yield None
        return
    cloud = Cloud(home.cloud)
    fleet.resume({one.id for one in cloud.objects("", CLUSTER)})
    # The client starts `gke-gcloud-auth-plugin` from PATH, as kubectl and the official provider do.
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(home.folder / "bin"), before])
    playing = _Players(fleet, cloud)
    thread = GkeControllers(playing.clusters)
    thread.start()
    try:
        yield fleet
    finally:
        thread.stop()
        playing.close()
        os.environ["PATH"] = before


class _Players:
    """For each running cluster a client, and the node pools that the simulated cloud has for it."""

    def __init__(self, fleet: Fleet, cloud: Cloud) -> None:
        self._fleet, self._cloud = fleet, cloud
        self._apis: dict[str, Api] = {}

    def clusters(self) -> Iterator[tuple[Api, Mapping[str, Pool]]]:
        """Those whose API server is up: one that is just being started has its turn later."""
        pools = self._cloud.objects("", NODE_POOL)
        for one in self._fleet.clusters():
            if not (one.ours and self._fleet.running(one)):
                continue
            if one.server not in self._apis:
                self._apis[one.server] = Api(self._fleet.kubeconfig(one))
            within = [(found.inputs, _location(one.identity)) for found in pools if found.id.startswith(one.identity)]
            yield self._apis[one.server], dict(pools_of(within))

    def close(self) -> None:
        """Give the connections back."""
        for api in self._apis.values():
            api.close()


def _location(identity: str) -> str:
    """The location in projects/P/locations/L/clusters/C."""
    return identity.split("/")[3]
