"""The files and flags of a node's programs. Paths are those in its mount namespace (agent.py)."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from atwork.files import replace_file
from atwork.sandbox.clusters.node import secrets, services
from atwork.sandbox.clusters.node.registry import RegistryAccess

HOME = Path("/run/node")
"""The folder of the node."""

PROGRAMS = Path("/run/programs")
"""The folder of containerd, the plugins, and the driver of secrets."""

KUBERNETES = Path("/run/kubernetes")
"""The folder of the kubelet, kube-proxy, CoreDNS and kube-network-policies."""

PARTS = ("network-policies", "kubelet", "kube-proxy", "coredns")
"""The programs of this folder that run, each with its file of flags."""

SOCKET = Path("/run/containerd/containerd.sock")
PAUSE = "sandbox.atwork.dev/pause:1"
"""The image of the first container of each pod, made from tools/node/pause."""

PODS = ipaddress.ip_network("10.246.0.0/16")
"""Addresses of pods, in the network of the node alone. No route of the machine leads there."""

ADDRESS = PODS[1]
"""The node's own address, which is the gateway of its pods."""

INTERFACE = "node"
"""Where packets for Services go, which rules change or refuse on their way."""

DATA_INTERFACE = "data"
"""What holds the address of Cloud SQL and Memorystore."""

_ADDRESSES = {INTERFACE: ADDRESS, "nodelocaldns": services.DNS}
INTERFACES = {name: ipaddress.IPv4Interface((address, 32)) for name, address in _ADDRESSES.items()}
"""Bridges without ports, which only hold an address."""

_PROVIDER = "artifact-registry"
"""Name of the credential provider: a program that prints the login of the node."""

_REGISTRIES = "*.pkg.dev"
"""Hosts of Artifact Registry."""

TAINT = "sandbox.atwork.dev/node"
"""Taint of the node: only pods that are chosen for it run there."""

TUNABLES = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""Values that the kubelet sets for the machine: in the node, files with these values hide the machine's own.

https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/kubelet/cm/container_manager_linux.go (setupKernelTunables)
"""


@dataclass(frozen=True)
class ApiAccess:
    """How a node reaches its API server."""

    server: str
    """URL, with a port of loopback."""
    cluster: str
    """ID of its GKE cluster."""
    kubeconfig: str
    """That of the kubelet."""
    kubeconfigs: Mapping[str, str]
    """Those of the other programs, by user."""
    clients: bytes
    """Certificate of the authority that certifies the API server as a client of the kubelet."""


def write(folder: Path, access: ApiAccess, registry: RegistryAccess, *, name: str, group: str, runc: str) -> None:
    """Write all files into the folder of a node."""
    for kind in ("containerd", "credentials", "kubelet", "logs", "network", "tunables"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    replace_file(folder / "kubeconfig", access.kubeconfig, mode=0o600)
    replace_file(folder / "ca.crt", access.clients)
    replace_file(folder / "resolv.conf", "")
    replace_file(folder / "containerd.toml", _containerd(runc))
    replace_file(folder / "kubelet.yaml", yaml.safe_dump(_kubelet(group), sort_keys=False))
    replace_file(folder / "network" / "pods.conflist", json.dumps(_network()))
    replace_file(folder / "registry.crt", registry.authority)
    replace_file(folder / "login.json", json.dumps(_login(registry.token)), mode=0o600)
    replace_file(folder / "credentials" / _PROVIDER, f"#!/bin/sh\nexec cat {HOME / 'login.json'}\n", mode=0o755)
    replace_file(folder / "credential-provider.yaml", yaml.safe_dump(_credential_provider(), sort_keys=False))
    for path, value in TUNABLES.items():
        replace_file(folder / "tunables" / path.replace("/", "."), value)
    replace_file(folder / "kubelet.flags", "\n".join(_flags(name)))
    secrets.write(folder, HOME, node=name, cluster=access.cluster, kubelet=HOME / "kubelet")
    services.write(folder, HOME, access.kubeconfigs, node=name, address=str(ADDRESS), pods=str(PODS))


def _flags(name: str) -> list[str]:
    return [
        f"--config={HOME / 'kubelet.yaml'}",
        f"--kubeconfig={HOME / 'kubeconfig'}",
        f"--root-dir={HOME / 'kubelet'}",
        f"--cert-dir={HOME / 'kubelet' / 'pki'}",
        f"--hostname-override={name}",
        f"--node-ip={ADDRESS}",
        f"--image-credential-provider-config={HOME / 'credential-provider.yaml'}",
        f"--image-credential-provider-bin-dir={HOME / 'credentials'}",
    ]


def google_environment(port: int) -> dict[str, str]:
    """Variables with which containerd and the driver of secrets reach what plays Google, and nothing else."""
    return {"HTTPS_PROXY": f"http://127.0.0.1:{port}", "SSL_CERT_FILE": str(HOME / "registry.crt")}


def _credential_provider() -> dict[str, Any]:
    """https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider/."""
    provider = {
        "name": _PROVIDER,
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "matchImages": [_REGISTRIES],
        "defaultCacheDuration": "0s",
    }
    return {"apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig", "providers": [provider]}


def _login(token: str) -> dict[str, Any]:
    """What the credential provider answers: the token of the node's account."""
    return {
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "kind": "CredentialProviderResponse",
        "cacheKeyType": "Registry",
        "auth": {_REGISTRIES: {"username": "oauth2accesstoken", "password": token}},
    }


def _containerd(runc: str) -> str:
    """https://github.com/containerd/containerd/blob/v2.4.2/docs/cri/config.md."""
    cri = "plugins.'io.containerd.cri.v1"
    tables: dict[str, dict[str, Any]] = {
        "grpc": {"address": str(SOCKET)},
        "plugins.'io.containerd.internal.v1.opt'": {"path": str(HOME / "opt")},
        # kube-network-policies hears of new pods from containerd; other plugins of this machine do not run here.
        "plugins.'io.containerd.nri.v1.nri'": {
            "socket_path": "/run/nri/nri.sock",
            "plugin_path": str(HOME / "nri"),
            "plugin_config_path": str(HOME / "nri"),
        },
        f"{cri}.images'": {"snapshotter": "overlayfs"},
        f"{cri}.images'.pinned_images": {"sandbox": PAUSE},
        # The score of a process may not be below that of its parent without CAP_SYS_RESOURCE.
        f"{cri}.runtime'": {"restrict_oom_score_adj": True},
        f"{cri}.runtime'.cni": {"bin_dirs": [str(PROGRAMS)], "conf_dir": str(HOME / "network")},
        f"{cri}.runtime'.containerd.runtimes.runc": {"runtime_type": "io.containerd.runc.v2"},
        f"{cri}.runtime'.containerd.runtimes.runc.options": {"BinaryName": runc, "SystemdCgroup": False},
    }
    lines = ["version = 3", f"root = {json.dumps(str(HOME / 'containerd'))}", 'state = "/run/containerd"']
    for table, values in tables.items():
        lines += ["", f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def _kubelet(group: str) -> dict[str, Any]:
    """https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": str(ADDRESS),
        "readOnlyPort": 0,
        "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": str(HOME / "ca.crt")}},
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{group}",
        "failCgroupV1": False,
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "protectKernelDefaults": True,  # fails instead of changing the machine: TUNABLES
        "makeIPTablesUtilChains": False,
        "clusterDNS": [str(services.DNS)],
        "clusterDomain": services.DOMAIN,
        "oomScoreAdj": 0,
        "resolvConf": str(HOME / "resolv.conf"),
        "podLogsDir": str(HOME / "logs"),
        "volumePluginDir": str(HOME / "kubelet" / "volume-plugins"),
        "registerWithTaints": [{"key": TAINT, "value": "real", "effect": "NoSchedule"}],
        # The disk is shared with everything else on this machine; a full one is seen by writes that fail.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "0%", "imagefs.available": "0%"},
        "imageGCHighThresholdPercent": 100,
        "serializeImagePulls": False,
    }


def _network() -> dict[str, Any]:
    """Each pod has its own link to the node, which routes everything: so that rules see all packets, of Services, too.

    https://www.cni.dev/plugins/current/main/ptp/
    """
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": str(PODS)}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": "/run/cni",
    }
    link = {"type": "ptp", "ipam": addresses}
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [link]}
