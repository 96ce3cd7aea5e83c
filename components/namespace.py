"""A namespace that is safe to hand out: Pod Security level, quota, limits, and no traffic that is not allowed.

Owns: the namespace, its quota and limits, the default-deny policies with the least that every pod needs, and the
default service account, which gets no token.
Does not own: further allowances and roles.

Traps: the namespace's default service account exists before any program can make it, hence a patch. A Deployment
whose pods break the Pod Security level is created and times out without saying why: check pod specs in tests.
"""

from __future__ import annotations

from typing import Literal

import pulumi
import pulumi_kubernetes as kubernetes
from pydantic import Field

from components.settings import Settings

_METADATA_SERVER = "169.254.169.254/32"


class NamespaceSettings(Settings):
    """How much a namespace may use, and how far its pods may go."""

    pod_security: Literal["privileged", "baseline", "restricted"] = "restricted"
    """The Pod Security Standard that is enforced."""

    quota: dict[str, str] = Field(
        default={"requests.cpu": "10", "requests.memory": "32Gi", "limits.memory": "48Gi", "pods": "50"}
    )
    """Most that all pods together may ask for."""

    default_requests: dict[str, str] = Field(default={"cpu": "100m", "memory": "128Mi"})
    """What a container asks for that says nothing."""

    default_limits: dict[str, str] = Field(default={"memory": "512Mi"})
    """The limit of a container that says nothing."""


class Namespace(pulumi.ComponentResource):
    """One namespace with its guards."""

    namespace_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: NamespaceSettings,
        *,
        physical_name: str,
        internet: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:namespace:Namespace", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": physical_name,
                "labels": {
                    "pod-security.kubernetes.io/enforce": settings.pod_security,
                    "pod-security.kubernetes.io/warn": settings.pod_security,
                },
            },
            opts=child,
        )
        self.namespace_name = namespace.metadata.name
        kubernetes.core.v1.ResourceQuota(
            f"{name}-quota",
            metadata={"name": "quota", "namespace": self.namespace_name},
            spec={"hard": settings.quota},
            opts=child,
        )
        kubernetes.core.v1.LimitRange(
            f"{name}-limits",
            metadata={"name": "defaults", "namespace": self.namespace_name},
            spec={
                "limits": [
                    {
                        "type": "Container",
                        "default_request": settings.default_requests,
                        "default": settings.default_limits,
                    }
                ]
            },
            opts=child,
        )
        kubernetes.core.v1.ServiceAccountPatch(
            f"{name}-default-account",
            metadata={"name": "default", "namespace": self.namespace_name},
            automount_service_account_token=False,
            opts=child,
        )
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-default-deny",
            metadata={"name": "default-deny", "namespace": self.namespace_name},
            spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
            opts=child,
        )
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-basics",
            metadata={"name": "basics", "namespace": self.namespace_name},
            spec={"pod_selector": {}, "policy_types": ["Egress"], "egress": _basics(internet=internet)},
            opts=child,
        )
        self.register_outputs({"namespace_name": self.namespace_name})


def _basics(*, internet: bool) -> list[kubernetes.networking.v1.NetworkPolicyEgressRuleArgsDict]:
    """DNS and the metadata server for every pod; HTTPS to the world where it is wanted."""
    rules: list[kubernetes.networking.v1.NetworkPolicyEgressRuleArgsDict] = [
        {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
        {"to": [{"ip_block": {"cidr": _METADATA_SERVER}}], "ports": [{"port": 80, "protocol": "TCP"}]},
    ]
    if internet:
        rules.append(
            {
                "to": [{"ip_block": {"cidr": "0.0.0.0/0", "except_": [_METADATA_SERVER]}}],
                "ports": [{"port": 443, "protocol": "TCP"}],
            }
        )
    return rules
