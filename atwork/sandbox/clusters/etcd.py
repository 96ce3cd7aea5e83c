"""The etcd that all managed clusters share; each cluster has a key prefix."""

from __future__ import annotations

import base64
import json
import shutil
import ssl
import time
from pathlib import Path

import httpx

from atwork.errors import SandboxError
from atwork.sandbox.clusters.daemon import Daemon, free_port

_READY_SECONDS = 60


class Etcd:
    """etcd on loopback, with its data, certificates and ports in the folder that the clusters share."""

    def __init__(self, shared: Path) -> None:
        self._shared = shared
        self.daemon = Daemon("etcd", shared)

    def start(self, binary: Path) -> str:
        """Start etcd if it does not run, wait until it is healthy, and return its URL for clients."""
        if not self._ports.exists():
            self._ports.write_text(json.dumps([free_port(), free_port()]))
        client, peer = (f"127.0.0.1:{port}" for port in json.loads(self._ports.read_text()))
        shared = self._shared
        self.daemon.start(
            [
                str(binary),
                f"--data-dir={self._data}",
                f"--listen-client-urls=https://{client}",
                f"--advertise-client-urls=https://{client}",
                f"--listen-peer-urls=http://{peer}",
                f"--initial-advertise-peer-urls=http://{peer}",
                f"--initial-cluster=default=http://{peer}",
                "--client-cert-auth",
                f"--trusted-ca-file={shared / 'ca.crt'}",
                f"--cert-file={shared / 'server.crt'}",
                f"--key-file={shared / 'server.key'}",
                "--unsafe-no-fsync",  # the next `up` recreates what a power failure loses
                "--logger=zap",
                "--log-level=warn",
            ]
        )
        self._wait()
        return f"https://{client}"

    def stop(self) -> None:
        """Stop etcd and keep its data."""
        self.daemon.stop()

    def remove(self) -> None:
        """Stop etcd and delete its data."""
        self.stop()
        shutil.rmtree(self._data, ignore_errors=True)

    def delete_keys(self, prefix: str) -> None:
        """Delete all keys of a cluster through etcd's JSON gateway, if etcd runs."""
        if not self.daemon.alive():
            return
        first, last = f"{prefix}/".encode(), f"{prefix}0".encode()  # "0" comes after "/"
        body = {"key": base64.b64encode(first).decode(), "range_end": base64.b64encode(last).decode()}
        with self._client() as client:
            client.post("/v3/kv/deleterange", json=body).raise_for_status()

    @property
    def _data(self) -> Path:
        return self._shared / "etcd"

    @property
    def _ports(self) -> Path:
        """The file with the ports for clients and peers."""
        return self._shared / "etcd.json"

    def _wait(self) -> None:
        end = time.monotonic() + _READY_SECONDS
        with self._client() as client:
            while time.monotonic() < end:
                if not self.daemon.alive():
                    raise SandboxError(f"{self.daemon.log}: etcd ended: {self.daemon.last_output()}")
                try:
                    if client.get("/health").json().get("health") == "true":
                        return
                except (httpx.HTTPError, ValueError):
                    time.sleep(0.1)
        raise SandboxError(f"{self.daemon.log}: etcd is not ready after {_READY_SECONDS} s")

    def _client(self) -> httpx.Client:
        port = json.loads(self._ports.read_text())[0]
        context = ssl.create_default_context(cafile=self._shared / "ca.crt")
        context.load_cert_chain(self._shared / "server.crt", self._shared / "server.key")
        return httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=context, timeout=30, trust_env=False)
