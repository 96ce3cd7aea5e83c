"""All real clusters of a sandbox: each comes and goes with its simulated GKE cluster; later commands find it again."""

from __future__ import annotations

import base64
import json
import secrets
import shutil
import socket
import ssl
import sys
import time
from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from filelock import FileLock
from rich.console import Console

from atwork.errors import SandboxError
from atwork.files import replace_file
from atwork.sandbox.clusters import certificates, credentials, elsewhere, gke_addons
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.choice import Choice
from atwork.sandbox.clusters.control_plane import ControlPlane
from atwork.sandbox.clusters.daemon import Daemon

_ETCD_SECONDS = 60


@dataclass(frozen=True)
class Cluster:
    """One real cluster: what is kept of it in its folder."""

    identity: str
    """The id of the simulated GKE cluster."""
    environment: str
    server: str
    """Address of its API server, as it stands in a kubeconfig."""
    prefix: str = ""
    """Where its keys are in etcd; empty for a cluster that somebody else runs."""

    @property
    def key(self) -> str:
        """Its folder's name."""
        return self.prefix.strip("/") or self.environment

    @property
    def ours(self) -> bool:
        """Whether the sandbox runs it."""
        return bool(self.prefix)

    @property
    def endpoint(self) -> str:
        """HOST:PORT, as GKE says it."""
        return self.server.removeprefix("https://")


class Fleet:
    """The real clusters below a folder. Safe for several commands at once."""

    def __init__(self, folder: Path, bin_folder: Path, choice: Choice, console: Console) -> None:
        self.folder, self._bin, self._choice, self._console = folder, bin_folder, choice, console
        self._shared = folder / "shared"
        self._binaries: Mapping[str, Path] | None = None

    @property
    def gated(self) -> bool:
        """Whether a sandbox's simulated clouds say which pods may start; elsewhere there is nothing to ask."""
        return self.folder.parent.name == ".sandbox"

    def clusters(self) -> list[Cluster]:
        """Every cluster that is there, running or not."""
        found = sorted(self.folder.glob("*/cluster.json"))
        return [Cluster(**json.loads(path.read_text())) for path in found]

    def of(self, environment: str) -> Cluster | None:
        """The cluster of an environment."""
        return next((one for one in self.clusters() if one.environment == environment), None)

    def at(self, server: str) -> Cluster | None:
        """The cluster at an address."""
        return next((one for one in self.clusters() if one.server == server), None)

    def reserve(self, identity: str, environment: str) -> Cluster:
        """Where the API server of a GKE cluster will answer, or answers; the same in every call."""
        with self._lock():
            found = next((one for one in self.clusters() if one.identity == identity), None)
            if found is not None:
                return found
            if environment in self._choice.contexts:
                server = elsewhere.server(self._choice.contexts[environment])
                made = Cluster(identity, environment, server)
            else:
                prefix = f"/{identity.rpartition('/')[2]}-{secrets.token_hex(3)}"
                made = Cluster(identity, environment, f"https://127.0.0.1:{_free_port()}", prefix)
            folder = self.folder / made.key
            folder.mkdir(parents=True, exist_ok=True)
            replace_file(folder / "cluster.json", json.dumps(asdict(made)))
            return made

    def start(self, cluster: Cluster) -> None:
        """Start what does not run of a cluster, and wait until it answers."""
        with self._lock():
            self._share(cluster)
            if not cluster.ours:
                return
            etcd = self._etcd()
            if self.gated:
                checkout = self.folder.parents[1]
                self._gate().start([sys.executable, "-P", "-m", "atwork.sandbox.verify.gate", str(checkout)])
        self._plane(cluster).start(self._programs(), etcd)

    def remove(self, cluster: Cluster) -> None:
        """End a cluster and delete what it kept; with the last one goes etcd."""
        with self._lock():
            if cluster.ours:
                self._plane(cluster).stop()
            shutil.rmtree(self.folder / cluster.key, ignore_errors=True)
            if any(one.ours for one in self.clusters()):
                if cluster.ours:
                    self._forget(cluster.prefix)
                return
            self._gate().stop()
            self._etcd_daemon().stop()
            shutil.rmtree(self._shared / "etcd", ignore_errors=True)

    def resume(self, known: Container[str]) -> None:
        """Start every cluster that was ended, by `stop`, a reboot or a kill; end those that the cloud does not know."""
        for one in self.clusters():
            if one.identity not in known:
                self.remove(one)
            elif not self.running(one):
                self.start(one)
                self.furnish(one)

    def stop(self) -> None:
        """End all programs and keep what the clusters hold."""
        with self._lock():
            self._gate().stop()
            for one in self.clusters():
                if one.ours:
                    self._plane(one).stop()
            self._etcd_daemon().stop()

    def running(self, cluster: Cluster) -> bool:
        """Whether a cluster's programs run."""
        if not cluster.ours:
            return True
        return self._plane(cluster).alive() and (not self.gated or self._gate().alive())

    def connect(self, kubeconfig: str) -> Api:
        """A client from the program's own kubeconfig: its server, its plugin, and the authority of the sandbox.

        GKE's endpoint has a certificate of a public authority, so that the program's kubeconfig names none.
        """
        return Api(kubeconfig, self.authority_at(str(json.loads(kubeconfig)["clusters"][0]["cluster"]["server"])))

    def authority_at(self, server: str) -> Path | None:
        """The file with the authority of the cluster at an address."""
        cluster = self.at(server)
        return None if cluster is None else self.authority(cluster)

    def furnish(self, cluster: Cluster) -> None:
        """Give a new cluster what GKE gives it; one of somebody else's gets no namespaces beside the program's."""
        api = Api(self.kubeconfig(cluster))
        try:
            if cluster.ours:
                gke_addons.create_system_namespaces(api)
            gke_addons.install_addons(api)
        finally:
            api.close()

    def daemons(self, cluster: Cluster) -> list[Daemon]:
        """The programs of a cluster, with those that it shares: etcd, and in a sandbox the gate."""
        if not cluster.ours:
            return []
        shared = [self._gate()] if self.gated else []
        return [*self._plane(cluster).daemons().values(), *shared, self._etcd_daemon()]

    def authority(self, cluster: Cluster) -> Path:
        """The file with the authority that signed a cluster's certificate."""
        return self._shared / "ca.crt" if cluster.ours else self.folder / cluster.key / "ca.crt"

    def kubeconfig(self, cluster: Cluster) -> str:
        """A kubeconfig (JSON) for kubectl, that needs no plugin; it holds a credential."""
        if not cluster.ours:
            return elsewhere.kubeconfig(self._choice.contexts[cluster.environment])
        token = credentials.token(self._shared, credentials.PERSON)
        name = cluster.identity.rpartition("/")[2]
        return credentials.kubeconfig(name, cluster.server, self.authority(cluster).read_bytes(), token)

    def _share(self, cluster: Cluster) -> None:
        certificates.write(self._shared)
        credentials.write(self._shared)
        statuses = credentials.answers(self._shared)
        if cluster.ours:
            statuses[cluster.server] = {"token": credentials.token(self._shared, credentials.PERSON)}
        else:
            authority, statuses[cluster.server] = elsewhere.access(self._choice.contexts[cluster.environment])
            (self.folder / cluster.key / "ca.crt").write_bytes(authority)
        credentials.write_plugin(self._shared, self._bin, statuses)

    def _plane(self, cluster: Cluster) -> ControlPlane:
        port = int(cluster.server.rpartition(":")[2])
        name = cluster.identity.rpartition("/")[2]
        return ControlPlane(name, self.folder / cluster.key, port, cluster.prefix, self._shared, self.gated)

    def _programs(self) -> Mapping[str, Path]:
        from atwork.toolchain import programs

        if self._binaries is None:
            self._binaries = programs.control_plane(self._console)
        return self._binaries

    def _gate(self) -> Daemon:
        """Lets pods start that would start on GKE; one program for all clusters."""
        return Daemon("gate", self._shared)

    def _etcd_daemon(self) -> Daemon:
        return Daemon("etcd", self._shared)

    def _etcd(self) -> str:
        """Address of etcd, started where it does not run."""
        daemon, port_file = self._etcd_daemon(), self._shared / "etcd.json"
        if not port_file.exists():
            port_file.write_text(json.dumps([_free_port(), _free_port()]))
        client, peer = (f"127.0.0.1:{port}" for port in json.loads(port_file.read_text()))
        shared = self._shared
        daemon.start(
            [
                str(self._programs()["etcd"]),
                f"--data-dir={shared / 'etcd'}",
                f"--listen-client-urls=https://{client}",
                f"--advertise-client-urls=https://{client}",
                f"--listen-peer-urls=http://{peer}",
                f"--initial-advertise-peer-urls=http://{peer}",
                f"--initial-cluster=default=http://{peer}",
                "--client-cert-auth",
                f"--trusted-ca-file={shared / 'ca.crt'}",
                f"--cert-file={shared / 'server.crt'}",
                f"--key-file={shared / 'server.key'}",
                "--unsafe-no-fsync",  # what a power cut would lose is made again by the next `up`
                "--logger=zap",
                "--log-level=warn",
            ]
        )
        end = time.monotonic() + _ETCD_SECONDS
        with self._etcd_client(client) as http:
            while time.monotonic() < end:
                if not daemon.alive():
                    raise SandboxError(f"{daemon.log}: etcd ended: {daemon.last_words()}")
                try:
                    if http.get("/health").json().get("health") == "true":
                        return f"https://{client}"
                except (httpx.HTTPError, ValueError):
                    time.sleep(0.1)
        raise SandboxError(f"{daemon.log}: etcd is not ready after {_ETCD_SECONDS} s")

    def _etcd_client(self, address: str) -> httpx.Client:
        context = ssl.create_default_context(cafile=self._shared / "ca.crt")
        context.load_cert_chain(self._shared / "server.crt", self._shared / "server.key")
        return httpx.Client(base_url=f"https://{address}", verify=context, timeout=30, trust_env=False)

    def _forget(self, prefix: str) -> None:
        """Delete all keys of a cluster, by etcd's JSON gateway."""
        if not self._etcd_daemon().alive():
            return
        port = json.loads((self._shared / "etcd.json").read_text())[0]
        first, last = f"{prefix}/".encode(), f"{prefix}0".encode()  # "0" comes after "/"
        body = {"key": base64.b64encode(first).decode(), "range_end": base64.b64encode(last).decode()}
        with self._etcd_client(f"127.0.0.1:{port}") as http:
            http.post("/v3/kv/deleterange", json=body).raise_for_status()

    def _lock(self) -> FileLock:
        """Held by the one command at a time that starts or stops clusters."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / "lock")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
