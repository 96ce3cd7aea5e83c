"""One cluster with a real API server: the record that the sandbox keeps of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from atwork.files import replace_file

_FILE = "cluster.json"


@dataclass(frozen=True)
class Cluster:
    """A real cluster that stands for a simulated GKE cluster."""

    identity: str
    """ID of the simulated GKE cluster."""
    environment: str
    server: str
    """URL of its API server, as in a kubeconfig."""
    prefix: str = ""
    """Prefix of its keys in etcd; empty for an external cluster."""

    @property
    def key(self) -> str:
        """Name of its folder."""
        return self.prefix.strip("/") or self.environment

    @property
    def name(self) -> str:
        """Name of the GKE cluster."""
        return self.identity.rpartition("/")[2]

    @property
    def managed(self) -> bool:
        """Whether the sandbox runs it; an external cluster (kind, minikube) runs without the sandbox."""
        return bool(self.prefix)

    @property
    def endpoint(self) -> str:
        """HOST:PORT, in GKE's format."""
        return self.server.removeprefix("https://")

    def save(self, folder: Path) -> None:
        """Write the record below the folder of all clusters."""
        own = folder / self.key
        own.mkdir(parents=True, exist_ok=True)
        replace_file(own / _FILE, json.dumps(asdict(self)))


def read_clusters(folder: Path) -> list[Cluster]:
    """The records below the folder of all clusters."""
    return [Cluster(**json.loads(path.read_text())) for path in sorted(folder.glob(f"*/{_FILE}"))]
