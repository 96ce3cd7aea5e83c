"""All real clusters of a sandbox. Each exists as long as its simulated GKE cluster; every command can access it."""

from __future__ import annotations

import json
import secrets
import shutil
import sys
from collections.abc import Container, Mapping
from pathlib import Path

from filelock import FileLock
from rich.console import Console

from atwork.sandbox.clusters import certificates, credentials, external, gke_addons
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.choice import Choice, NodeKind
from atwork.sandbox.clusters.cluster import Cluster, read_clusters
from atwork.sandbox.clusters.control_plane import ControlPlane
from atwork.sandbox.clusters.daemon import Daemon, free_port
from atwork.sandbox.clusters.etcd import Etcd
from atwork.sandbox.clusters.node import placement, services
from atwork.sandbox.clusters.node import secrets as secret_volumes
from atwork.sandbox.clusters.node.data_services import DataServices
from atwork.sandbox.clusters.node.files import ApiAccess
from atwork.sandbox.clusters.node.real_node import RealNode
from atwork.sandbox.clusters.node.registry import NodeRegistry


class Fleet:
    """The real clusters below a folder. Several commands can use it at the same time."""

    def __init__(self, folder: Path, bin_folder: Path, choice: Choice, console: Console) -> None:
        self.folder, self._bin, self._choice, self._console = folder, bin_folder, choice, console
        self._shared = folder / "shared"
        self._etcd = Etcd(self._shared)
        self._gate = Daemon("gate", self._shared)
        """Admits pods that would start on GKE; one program for all clusters."""
        self._binaries: Mapping[str, Path] | None = None
        self.registry = NodeRegistry(self._shared / "registry")
        """Where nodes pull images from; it runs if nodes are real."""

    @property
    def real_nodes(self) -> bool:
        """Whether each managed cluster has a node that runs pods."""
        return self._choice.nodes == NodeKind.real

    @property
    def gated(self) -> bool:
        """Whether pods need the gate to start. Outside a sandbox, no simulated cloud can say which pods may start."""
        return self.folder.parent.name == ".sandbox"

    def clusters(self) -> list[Cluster]:
        """Every cluster, running or not."""
        return read_clusters(self.folder)

    def of(self, environment: str) -> Cluster | None:
        """The cluster of an environment."""
        return next((cluster for cluster in self.clusters() if cluster.environment == environment), None)

    def at(self, server: str) -> Cluster | None:
        """The cluster whose API server has a URL."""
        return next((cluster for cluster in self.clusters() if cluster.server == server), None)

    def reserve(self, identity: str, environment: str) -> Cluster:
        """The cluster for a GKE cluster, with the address of its API server; every call returns the same."""
        with self._lock():
            existing = next((cluster for cluster in self.clusters() if cluster.identity == identity), None)
            if existing is not None:
                return existing
            if environment in self._choice.contexts:
                cluster = Cluster(identity, environment, external.server(self._choice.contexts[environment]))
            else:
                prefix = f"/{identity.rpartition('/')[2]}-{secrets.token_hex(3)}"
                cluster = Cluster(identity, environment, f"https://127.0.0.1:{free_port()}", prefix)
            cluster.save(self.folder)
            return cluster

    def start(self, cluster: Cluster) -> None:
        """Start the programs of a cluster that do not run, and wait until its API server is ready."""
        with self._lock():
            self._write_credentials(cluster)
            if not cluster.managed:
                return
            etcd = self._etcd.start(self._programs()["etcd"])
            if self.gated:
                checkout = self.folder.parents[1]
                self._gate.start([sys.executable, "-P", "-m", "atwork.sandbox.verify.gate", str(checkout)])
        self._control_plane(cluster).start(self._programs(), etcd)
        if self.real_nodes:
            self._start_node(cluster)

    def _start_node(self, cluster: Cluster) -> None:
        from atwork.toolchain import programs

        with self._lock():
            self.registry.start(programs.google_endpoints(self._console))
            rights, google = (
                [sys.executable, "-P", "-m", f"atwork.sandbox.{name}", str(self.folder.parents[1]), cluster.identity]
                for name in ("node_rights", "node_google")
            )
            access = self.registry.admit(cluster.key, rights, cluster.identity, google)
        folders = programs.node(self._console)
        self.node(cluster).start(self._node_access(cluster), access, *folders, self._data_services(cluster))

    def _data_services(self, cluster: Cluster) -> DataServices | None:
        """Cloud SQL and Memorystore of its environment; None outside a sandbox."""
        return DataServices.of(self.folder.parents[1], cluster.environment, cluster.identity) if self.gated else None

    def remove(self, cluster: Cluster) -> None:
        """Stop a cluster and delete its data; etcd ends with the last managed cluster."""
        with self._lock():
            if cluster.managed:
                self._stop_node(cluster)
                self.registry.dismiss(cluster.key)
                self._control_plane(cluster).stop()
            shutil.rmtree(self.folder / cluster.key, ignore_errors=True)
            if any(other.managed for other in self.clusters()):
                if cluster.managed:
                    self._etcd.delete_keys(cluster.prefix)
                return
            self._gate.stop()
            self.registry.remove()
            self._etcd.remove()

    def resume(self, known: Container[str]) -> None:
        """Start clusters that `stop`, a reboot or a kill ended; remove clusters whose IDs the cloud does not know."""
        for cluster in self.clusters():
            if cluster.identity not in known:
                self.remove(cluster)
            elif not self.running(cluster):
                self.start(cluster)
                self.install_addons(cluster)

    def stop(self) -> None:
        """Stop all programs and keep the content of the clusters."""
        with self._lock():
            self._gate.stop()
            for cluster in self.clusters():
                if cluster.managed:
                    self._stop_node(cluster)
                    self._control_plane(cluster).stop()
            self.registry.stop()
            self._etcd.stop()

    def _stop_node(self, cluster: Cluster) -> None:
        if self.real_nodes:
            self.node(cluster).stop()

    def running(self, cluster: Cluster) -> bool:
        """Whether all programs of a cluster run."""
        if not cluster.managed:
            return True
        return all(daemon.alive() for daemon in self.daemons(cluster))

    def node(self, cluster: Cluster) -> RealNode:
        """The node of a cluster that runs pods, if nodes are real."""
        return RealNode(self.folder / cluster.key / "node")

    def connect(self, kubeconfig: str) -> Api:
        """A client from the program's own kubeconfig, with its server and plugin, and the sandbox's CA.

        GKE's DNS endpoint has a certificate of a public CA; therefore the program's kubeconfig names no CA.
        """
        return Api(kubeconfig, self.authority_at(str(json.loads(kubeconfig)["clusters"][0]["cluster"]["server"])))

    def authority_at(self, server: str) -> Path | None:
        """The CA file of the cluster whose API server has a URL."""
        cluster = self.at(server)
        return None if cluster is None else self.authority(cluster)

    def install_addons(self, cluster: Cluster) -> None:
        """Create what GKE creates in a new cluster; an external cluster gets no system namespaces."""
        api = Api(self.kubeconfig(cluster))
        try:
            if cluster.managed:
                gke_addons.create_system_namespaces(api)
            gke_addons.install_addons(api)
            if cluster.managed and self.real_nodes:
                placement.install(api, self._data_services(cluster), gated=self.gated)
                services.install(api)
                secret_volumes.install(api, cluster.identity.split("/")[1])
        finally:
            api.close()

    def daemons(self, cluster: Cluster) -> list[Daemon]:
        """The programs of a cluster, with the shared ones: etcd, the gate in a sandbox, the registry of real nodes."""
        if not cluster.managed:
            return []
        nodes = [self.node(cluster).daemon, self.registry.daemon] if self.real_nodes else []
        shared = [self._gate] if self.gated else []
        return [*self._control_plane(cluster).daemons().values(), *nodes, *shared, self._etcd.daemon]

    def authority(self, cluster: Cluster) -> Path:
        """The file with the CA of a cluster's certificate."""
        return self._shared / "ca.crt" if cluster.managed else self.folder / cluster.key / "ca.crt"

    def kubeconfig(self, cluster: Cluster) -> str:
        """A kubeconfig (JSON) for kubectl with a credential in it, so that it needs no plugin."""
        if not cluster.managed:
            return external.kubeconfig(self._choice.contexts[cluster.environment])
        token = credentials.token(self._shared, credentials.ENGINEER)
        return credentials.kubeconfig(cluster.name, cluster.server, self.authority(cluster).read_bytes(), token)

    def _node_access(self, cluster: Cluster) -> ApiAccess:
        """How the node of a cluster reaches its API server, with the rights that its programs have on GKE."""
        authority = self.authority(cluster).read_bytes()
        programs = (services.PROXY, services.NAMES, services.POLICIES, secret_volumes.USER)
        users = (f"system:node:{credentials.NODE}", *programs)
        kubelet, *others = (
            credentials.kubeconfig(cluster.name, cluster.server, authority, credentials.token(self._shared, user))
            for user in users
        )
        kubeconfigs: dict[str, str] = dict(zip(programs, others, strict=True))
        clients = (self._shared / "kubelet-ca.crt").read_bytes()
        return ApiAccess(cluster.server, cluster.identity, kubelet, kubeconfigs, clients)

    def _write_credentials(self, cluster: Cluster) -> None:
        """Write certificates and tokens if missing, and let the plugin answer for the cluster."""
        certificates.write(self._shared)
        certificates.write_kubelet_client(self._shared)
        credentials.write(self._shared)
        statuses = credentials.answers(self._shared)
        if cluster.managed:
            statuses[cluster.server] = {"token": credentials.token(self._shared, credentials.ENGINEER)}
        else:
            authority, statuses[cluster.server] = external.access(self._choice.contexts[cluster.environment])
            (self.folder / cluster.key / "ca.crt").write_bytes(authority)
        credentials.write_plugin(self._shared, self._bin, statuses)

    def _control_plane(self, cluster: Cluster) -> ControlPlane:
        port = int(cluster.server.rpartition(":")[2])
        tunnel = self.node(cluster).tunnel if self.real_nodes else ""
        return ControlPlane(
            cluster.name, self.folder / cluster.key, port, cluster.prefix, self._shared, self.gated, tunnel
        )

    def _programs(self) -> Mapping[str, Path]:
        from atwork.toolchain import programs

        if self._binaries is None:
            self._binaries = programs.control_plane(self._console)
        return self._binaries

    def _lock(self) -> FileLock:
        """Held while a command starts or stops clusters."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / "lock")
