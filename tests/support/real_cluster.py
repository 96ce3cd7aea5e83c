"""A real cluster without a sandbox: an API server, for tests of what it accepts."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from atwork.sandbox.clusters.choice import Choice, ClusterKind
from atwork.sandbox.clusters.cluster import Cluster
from atwork.sandbox.clusters.fleet import Fleet


@contextmanager
def real_cluster(folder: Path) -> Generator[tuple[Fleet, Cluster]]:
    """Start a cluster with its files in `folder`; it is stopped at the end."""
    fleet = Fleet(folder / "clusters", folder / "bin", Choice(ClusterKind.real), Console(stderr=True))
    cluster = fleet.reserve("projects/p/locations/l/clusters/mine", "mine")
    try:
        fleet.start(cluster)
        yield fleet, cluster
    finally:
        fleet.stop()
