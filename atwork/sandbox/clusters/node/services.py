"""Services and their names on a node: kube-proxy, and CoreDNS in place of GKE's node-local cache.

kube-proxy writes rules of nftables in the network of the node, with which they end. CoreDNS is a program of the node
and not a pod, so that it needs no image; it answers for names of the cluster and refuses all others.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from atwork.files import replace_file
from atwork.sandbox.clusters.api import Api

PROXY, NAMES = "system:kube-proxy", "system:coredns"
"""Users of the API server. Kubernetes itself gives rights to the first."""

DOMAIN = "cluster.local"
DNS = ipaddress.IPv4Address("169.254.20.10")
"""Where CoreDNS answers: as on GKE with NodeLocal DNSCache, which the platform enables, a link-local address.

https://cloud.google.com/kubernetes-engine/docs/how-to/nodelocal-dns-cache
"""

_MANAGER = "sandbox"
_RBAC = "rbac.authorization.k8s.io"


def write(folder: Path, home: Path, kubeconfigs: Mapping[str, str], *, node: str, address: str, pods: str) -> None:
    """Write the files of both programs; `home` is the folder as they see it, `kubeconfigs` are by user."""
    for user, kubeconfig in kubeconfigs.items():
        replace_file(folder / f"{_program(user)}.kubeconfig", kubeconfig, mode=0o600)
    proxy = _proxy(str(home / f"{_program(PROXY)}.kubeconfig"), node, address, pods)
    replace_file(folder / "kube-proxy.yaml", yaml.safe_dump(proxy, sort_keys=False))
    replace_file(folder / "kube-proxy.flags", f"--config={home / 'kube-proxy.yaml'}")
    replace_file(folder / "Corefile", _corefile(str(home / f"{_program(NAMES)}.kubeconfig")))
    replace_file(folder / "coredns.flags", f"-conf={home / 'Corefile'}")


def _program(user: str) -> str:
    return user.rpartition(":")[2]


def _proxy(kubeconfig: str, node: str, address: str, pods: str) -> dict[str, Any]:
    """https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": kubeconfig},
        "hostnameOverride": node,
        "bindAddress": address,
        "clusterCIDR": pods,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        # Zeros leave the settings of the kernel as they are.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def _corefile(kubeconfig: str) -> str:
    """https://coredns.io/plugins/kubernetes/."""
    return f"""{DOMAIN} in-addr.arpa {{
    bind {DNS}
    errors
    kubernetes {DOMAIN} in-addr.arpa {{
        kubeconfig {kubeconfig}
    }}
}}
"""


def install(api: Api) -> None:
    """Let CoreDNS read what it answers from."""
    rules = [
        {"apiGroups": [""], "resources": ["namespaces", "services"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    kind: dict[str, Any] = {"apiVersion": f"{_RBAC}/v1", "metadata": {"name": NAMES}}
    reference = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": NAMES}
    subject = {"apiGroup": _RBAC, "kind": "User", "name": NAMES}
    bodies: list[dict[str, Any]] = [
        {**kind, "kind": "ClusterRole", "rules": rules},
        {**kind, "kind": "ClusterRoleBinding", "roleRef": reference, "subjects": [subject]},
    ]
    for body in bodies:
        api.apply(api.place(body["apiVersion"], body["kind"]), body, manager=_MANAGER, force=True)
