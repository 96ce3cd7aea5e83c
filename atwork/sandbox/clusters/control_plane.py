"""The control plane of a cluster on loopback: API server, controller manager, scheduler, and kwok for its nodes.

Flags whose purpose is not obvious:
- `--endpoint-reconciler-type=none`: otherwise the API server advertises loopback to pods, which Kubernetes refuses.
- `--node-monitor-grace-period=24h`, and no leases of kwok: on a busy machine the heartbeats of kwok are late; nodes
  would become NotReady, and the controllers would set their pods to not ready for good.
- `--controllers` without `_CLOUD_CONTROLLERS`: there is no cloud provider; gke.py simulates what they do.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from atwork.errors import SandboxError
from atwork.files import replace_file
from atwork.sandbox.clusters import credentials, node_pools, stages
from atwork.sandbox.clusters.daemon import Daemon

SERVICES = "34.118.224.0/20"
"""GKE's default range for addresses of Services."""

_READY_SECONDS = 120
_ADMISSION = "PodSecurity,ResourceQuota,LimitRanger,ValidatingAdmissionPolicy,Priority,DefaultStorageClass"
_CLOUD_CONTROLLERS = ("nodeipam", "cloud-node-lifecycle-controller", "node-route-controller", "service-lb-controller")


@dataclass(frozen=True)
class ControlPlane:
    """A control plane: its folder (logs, PID files), the port of its API server, the prefix of its keys in etcd."""

    name: str
    folder: Path
    port: int
    prefix: str
    shared: Path
    """Folder with the certificates and tokens that all clusters share."""
    gated: bool
    """Whether pods need the gate to start (atwork/sandbox/verify/gate.py)."""
    tunnel: str = ""
    """Abstract socket of a proxy into the network of the node that runs pods (node/agent.py); empty without it."""

    @property
    def server(self) -> str:
        """URL of the API server, as in a kubeconfig."""
        return f"https://127.0.0.1:{self.port}"

    def daemons(self) -> dict[str, Daemon]:
        """Its programs, in the order in which they start."""
        names = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
        return {name: Daemon(name, self.folder) for name in names}

    def start(self, binaries: Mapping[str, Path], etcd: str) -> None:
        """Start the programs that do not run, and wait until the API server is ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        daemons = self.daemons()
        daemons["kube-apiserver"].start(self._api_server(binaries["kube-apiserver"], etcd))
        self._wait(daemons["kube-apiserver"])
        for name, command in self._clients(binaries).items():
            daemons[name].start(command)

    def stop(self) -> None:
        """Stop its programs, the API server last."""
        for daemon in reversed(self.daemons().values()):
            daemon.stop()

    def alive(self) -> bool:
        """Whether all its programs run."""
        return all(daemon.alive() for daemon in self.daemons().values())

    def _api_server(self, binary: Path, etcd: str) -> list[str]:
        shared = self.shared
        return [
            str(binary),
            f"--etcd-servers={etcd}",
            f"--etcd-prefix={self.prefix}",
            f"--etcd-cafile={shared / 'ca.crt'}",
            f"--etcd-certfile={shared / 'server.crt'}",
            f"--etcd-keyfile={shared / 'server.key'}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--tls-cert-file={shared / 'server.crt'}",
            f"--tls-private-key-file={shared / 'server.key'}",
            f"--requestheader-client-ca-file={shared / 'ca.crt'}",
            f"--token-auth-file={shared / 'tokens.csv'}",
            f"--encryption-provider-config={shared / 'encryption.yaml'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={shared / 'sa.pub'}",
            f"--service-account-signing-key-file={shared / 'sa.key'}",
            f"--service-cluster-ip-range={SERVICES}",
            "--authorization-mode=Node,RBAC",
            f"--enable-admission-plugins={_ADMISSION}",
            "--anonymous-auth=false",
            "--allow-privileged=true",
            "--endpoint-reconciler-type=none",
            "--profiling=false",
            *(self._way_to_kubelets(self.tunnel) if self.tunnel else ()),
        ]

    def _way_to_kubelets(self, tunnel: str) -> list[str]:
        """https://kubernetes.io/docs/tasks/extend-kubernetes/setup-konnectivity/."""
        transport = {"uds": {"udsName": f"@{tunnel}"}}
        document = {
            "apiVersion": "apiserver.k8s.io/v1beta1",
            "kind": "EgressSelectorConfiguration",
            "egressSelections": [
                {"name": "cluster", "connection": {"proxyProtocol": "HTTPConnect", "transport": transport}}
            ],
        }
        path = self.folder / "egress.yaml"
        replace_file(path, yaml.safe_dump(document, sort_keys=False))
        return [
            f"--egress-selector-config-file={path}",
            f"--kubelet-client-certificate={self.shared / 'kubelet-client.crt'}",
            f"--kubelet-client-key={self.shared / 'kubelet-client.key'}",
            "--kubelet-preferred-address-types=InternalIP",
        ]

    def _clients(self, binaries: Mapping[str, Path]) -> dict[str, list[str]]:
        controllers, scheduler, kwok = (
            str(self._kubeconfig(user)) for user in ("system:kube-controller-manager", "system:kube-scheduler", "kwok")
        )
        [selector] = (f"{key}={value}" for key, value in node_pools.SIMULATED.items())
        return {
            "kube-controller-manager": [
                str(binaries["kube-controller-manager"]),
                f"--kubeconfig={controllers}",
                f"--authentication-kubeconfig={controllers}",
                f"--authorization-kubeconfig={controllers}",
                f"--root-ca-file={self.shared / 'ca.crt'}",
                f"--service-account-private-key-file={self.shared / 'sa.key'}",
                "--use-service-account-credentials=true",
                "--leader-elect=false",
                "--secure-port=0",
                "--node-monitor-grace-period=24h",
                f"--controllers=*,{','.join(f'-{name}' for name in _CLOUD_CONTROLLERS)}",
            ],
            "kube-scheduler": [
                str(binaries["kube-scheduler"]),
                f"--kubeconfig={scheduler}",
                f"--authentication-kubeconfig={scheduler}",
                f"--authorization-kubeconfig={scheduler}",
                "--leader-elect=false",
                "--secure-port=0",
            ],
            "kwok": [
                str(binaries["kwok"]),
                f"--kubeconfig={kwok}",
                f"--config={self._stages()}",
                "--manage-all-nodes=false",
                f"--manage-nodes-with-annotation-selector={selector}",
                "--cidr=10.244.0.0/16",
                "--node-ip=127.0.0.1",
                "--node-lease-duration-seconds=0",
            ],
        }

    def _stages(self) -> Path:
        path = self.folder / "stages.yaml"
        replace_file(path, stages.text(gated=self.gated))
        return path

    def _kubeconfig(self, user: str) -> Path:
        path = self.folder / f"{user.rpartition(':')[2]}.kubeconfig"
        path.touch(mode=0o600)
        secret = credentials.token(self.shared, user)
        path.write_text(credentials.kubeconfig(self.name, self.server, (self.shared / "ca.crt").read_bytes(), secret))
        return path

    def _wait(self, daemon: Daemon) -> None:
        context = ssl.create_default_context(cafile=self.shared / "ca.crt")
        headers = {"Authorization": f"Bearer {credentials.token(self.shared, credentials.ENGINEER)}"}
        end = time.monotonic() + _READY_SECONDS
        while time.monotonic() < end:
            if not daemon.alive():
                raise SandboxError(f"{daemon.log}: the API server of {self.name} ended: {daemon.last_output()}")
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=5)
            try:
                connection.request("GET", "/readyz", headers=headers)
                if connection.getresponse().status == http.client.OK:
                    return
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(0.1)
        raise SandboxError(f"{daemon.log}: the API server of {self.name} is not ready after {_READY_SECONDS} s")
