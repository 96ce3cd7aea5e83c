"""A namespace that is safe before anything runs in it.

Owns: the namespace with its Pod Security level, its quota and default limits, the policy that cuts all traffic off
but name resolution, and the default service account without a token.
Does not own: service accounts and policies of what runs there.

Traps:
- The quota counts memory and scratch space, so every container needs limits of both: the LimitRange fills them in.
  CPU has requests alone, for a limit of CPU only slows things down.
- Names are resolved by node-local DNS or by Cloud DNS, which answer on link-local addresses, or by kube-dns pods.
- The account `default` exists before we come: it is patched (server-side apply), never created.
- Deleting or renaming a namespace deletes all that is in it, volumes too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import pulumi
import pulumi_kubernetes as kubernetes
from pydantic import Field

from components import gpu, traffic
from components.forms import TextForm
from components.settings import Settings

Cpu = Annotated[
    str, TextForm(r"^([0-9]+(\.[0-9]{1,3})?|[0-9]+m)$", "cores, or thousandths of a core with an m", "500m")
]
"""An amount of CPU as Kubernetes writes it: cores, or thousandths with an m."""

Memory = Annotated[str, TextForm(r"^[1-9][0-9]*(Mi|Gi|Ti)$", "an integer with Mi, Gi or Ti", "512Mi")]
"""An amount of memory or disk as Kubernetes writes it, in powers of two."""

PodSecurity = Literal["restricted", "baseline", "privileged"]
"""https://kubernetes.io/docs/concepts/security/pod-security-standards"""

DNS_ADDRESSES = ("169.254.20.10/32", "169.254.169.254/32")
"""Node-local DNS cache, and the metadata server through which Cloud DNS for GKE answers."""


class QuotaSettings(Settings):
    """The most that all pods of a namespace may ask for together."""

    cpu: Cpu = "8"
    """CPU requests."""

    memory: Memory = "32Gi"
    """Memory, requests and limits."""

    scratch: Memory = "100Gi"
    """Ephemeral storage, requests and limits."""

    pods: Annotated[int, Field(ge=1, le=5000)] = 50
    """Pods that have not ended."""

    volumes: Annotated[int, Field(ge=0, le=1000)] = 0
    """Persistent volume claims."""

    gpus: Annotated[int, Field(ge=0, le=1000)] = 0
    """GPUs that pods may request, on node pools with `gpu`."""


class ContainerDefaultSettings(Settings):
    """What a container gets that states nothing itself."""

    cpu: Cpu = "100m"
    """CPU request."""

    memory: Memory = "256Mi"
    """Memory, request and limit."""

    scratch: Memory = "1Gi"
    """Ephemeral storage, request and limit."""


class NamespaceSettings(Settings):
    """How strict and how large a namespace is."""

    pod_security: PodSecurity = "restricted"
    """Pod Security level that is enforced (CIS Kubernetes 5.2)."""

    quota: QuotaSettings = QuotaSettings()
    """Limits of the namespace as a sum."""

    container_defaults: ContainerDefaultSettings = ContainerDefaultSettings()
    """Limits of one container."""


class Namespace(pulumi.ComponentResource):
    """A namespace with quota, limits, closed network and a powerless default account."""

    namespace_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: NamespaceSettings,
        *,
        physical_name: str,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        protect: bool = False,
        retain: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:namespace:Namespace", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        metadata: kubernetes.meta.v1.ObjectMetaArgsDict = {
            "name": physical_name,
            "labels": {**_pod_security(settings.pod_security), **(labels or {})},
        }
        if annotations:
            metadata["annotations"] = dict(annotations)
        namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata=metadata,
            opts=pulumi.ResourceOptions(parent=self, protect=protect, retain_on_delete=retain),
        )
        self.namespace_name = namespace.metadata.apply(lambda metadata: metadata.name or physical_name)
        kubernetes.core.v1.ResourceQuota(
            f"{name}-quota",
            metadata={"name": "quota", "namespace": self.namespace_name},
            spec={"hard": _hard(settings.quota)},
            opts=child,
        )
        kubernetes.core.v1.LimitRange(
            f"{name}-limits",
            metadata={"name": "defaults", "namespace": self.namespace_name},
            spec={"limits": [_limits(settings.container_defaults)]},
            opts=child,
        )
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-deny",
            metadata={"name": "default-deny", "namespace": self.namespace_name},
            spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
            opts=child,
        )
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-dns",
            metadata={"name": "allow-dns", "namespace": self.namespace_name},
            spec={"pod_selector": {}, "policy_types": ["Egress"], "egress": [_dns()]},
            opts=child,
        )
        kubernetes.core.v1.ServiceAccountPatch(
            f"{name}-default-account",
            metadata={"name": "default", "namespace": self.namespace_name},
            automount_service_account_token=False,
            opts=child,
        )
        self.register_outputs({"namespace_name": self.namespace_name})


def _pod_security(level: PodSecurity) -> dict[str, str]:
    prefix = "pod-security.kubernetes.io"
    return {
        f"{prefix}/enforce": level,
        f"{prefix}/enforce-version": "latest",
        # What the next stricter step would refuse shows in the audit log and to whoever applies.
        f"{prefix}/audit": "restricted",
        f"{prefix}/warn": "restricted",
    }


def _hard(quota: QuotaSettings) -> dict[str, str]:
    return {
        "pods": str(quota.pods),
        "requests.cpu": quota.cpu,
        "requests.memory": quota.memory,
        "limits.memory": quota.memory,
        "requests.ephemeral-storage": quota.scratch,
        "limits.ephemeral-storage": quota.scratch,
        "persistentvolumeclaims": str(quota.volumes),
        f"requests.{gpu.TAINT}": str(quota.gpus),
        # The Gateway is the only way in, and the built-in role `edit` creates all of these. Of an Ingress, GKE makes a
        # public load balancer by plain HTTP, without the firewall and the proxy.
        "count/ingresses.networking.k8s.io": "0",
        "services.loadbalancers": "0",
        "services.nodeports": "0",
    }


def _limits(defaults: ContainerDefaultSettings) -> kubernetes.core.v1.LimitRangeItemArgsDict:
    sizes = {"memory": defaults.memory, "ephemeral-storage": defaults.scratch}
    return {"type": "Container", "default": sizes, "default_request": {"cpu": defaults.cpu, **sizes}}


def _dns() -> kubernetes.networking.v1.NetworkPolicyEgressRuleArgsDict:
    resolvers: kubernetes.networking.v1.NetworkPolicyPeerArgsDict = {
        "namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": "kube-system"}},
        "pod_selector": {
            "match_expressions": [{"key": "k8s-app", "operator": "In", "values": ["kube-dns", "node-local-dns"]}]
        },
    }
    return {
        "to": [resolvers, *traffic.addresses(*DNS_ADDRESSES)],
        "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
    }
