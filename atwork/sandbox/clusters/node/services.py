"""Services, their names and network policies on a node: kube-proxy, CoreDNS, and kube-network-policies.

kube-proxy writes rules of nftables in the network of the node, with which they end. CoreDNS is a program of the node
and not a pod, so that it needs no image, in place of GKE's node-local cache; it answers for names of the cluster and
refuses all others. kube-network-policies decides about the first packet of each connection from and to pods.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from atwork.files import replace_file
from atwork.sandbox.clusters.api import Api

PROXY, NAMES, POLICIES = "system:kube-proxy", "system:coredns", "system:network-policies"
"""Users of the API server. Kubernetes itself gives rights to the first."""

DOMAIN = "cluster.local"
DNS = ipaddress.IPv4Address("169.254.20.10")
"""Where CoreDNS answers: as on GKE with NodeLocal DNSCache, which the platform enables, a link-local address.

https://cloud.google.com/kubernetes-engine/docs/how-to/nodelocal-dns-cache
"""

RULES = "packets.rules"
"""File with the rules that hand packets to `POLICIES`."""

_QUEUE = 100
_MANAGER = "sandbox"
_RBAC = "rbac.authorization.k8s.io"


def write(folder: Path, home: Path, kubeconfigs: Mapping[str, str], *, node: str, address: str, pods: str) -> None:
    """Write the files of the programs; `home` is the folder as they see it, `kubeconfigs` are by user."""
    for user, kubeconfig in kubeconfigs.items():
        replace_file(folder / f"{_program(user)}.kubeconfig", kubeconfig, mode=0o600)
    proxy = _proxy(str(home / f"{_program(PROXY)}.kubeconfig"), node, address, pods)
    replace_file(folder / "kube-proxy.yaml", yaml.safe_dump(proxy, sort_keys=False))
    replace_file(folder / "kube-proxy.flags", f"--config={home / 'kube-proxy.yaml'}")
    replace_file(folder / "Corefile", _corefile(str(home / f"{_program(NAMES)}.kubeconfig")))
    replace_file(folder / "coredns.flags", f"-conf={home / 'Corefile'}")
    login = home / f"{_program(POLICIES)}.kubeconfig"
    flags = [f"--kubeconfig={login}", f"--node={node}", f"--queue={_QUEUE}"]
    replace_file(folder / f"{_program(POLICIES)}.flags", "\n".join(flags))
    replace_file(folder / RULES, packet_rules(pods))


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


def packet_rules(pods: str) -> str:
    """The rules for iptables-restore: the first packet of each connection waits for a decision.

    Without the program that decides, it is dropped. The kubelet and other programs of the node reach all pods.

    These rules are not in nftables, because kernels without NFT_QUEUE take them, too.
    """
    new, queue = "-m conntrack --ctstate NEW", f"-j NFQUEUE --queue-num {_QUEUE}"
    return f"*filter\n-A FORWARD {new} {queue}\n-A INPUT -s {pods} ! -i lo {new} {queue}\nCOMMIT\n"


_READS: Mapping[str, Sequence[tuple[str, Sequence[str]]]] = {
    NAMES: [("", ("namespaces", "services")), ("discovery.k8s.io", ("endpointslices",))],
    POLICIES: [("", ("namespaces", "pods")), ("networking.k8s.io", ("networkpolicies",))],
}
"""API groups and resources, by user."""


def install(api: Api) -> None:
    """Let the programs read what they need."""
    for user, groups in _READS.items():
        rules = [{"apiGroups": [group], "resources": [*names], "verbs": ["list", "watch"]} for group, names in groups]
        kind: dict[str, Any] = {"apiVersion": f"{_RBAC}/v1", "metadata": {"name": user}}
        reference = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": user}
        subject = {"apiGroup": _RBAC, "kind": "User", "name": user}
        bodies: list[dict[str, Any]] = [
            {**kind, "kind": "ClusterRole", "rules": rules},
            {**kind, "kind": "ClusterRoleBinding", "roleRef": reference, "subjects": [subject]},
        ]
        for body in bodies:
            api.apply(api.place(body["apiVersion"], body["kind"]), body, manager=_MANAGER, force=True)
