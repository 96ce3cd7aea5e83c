"""Roles for starting pods in a namespace."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

# Only what Jenkins' Kubernetes plugin does: the chart's own role also creates volumes.
_POD_RULES: list[kubernetes.rbac.v1.PolicyRuleArgsDict] = [
    {
        "api_groups": [""],
        "resources": ["pods"],
        "verbs": ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"],
    },
    {"api_groups": [""], "resources": ["pods/exec"], "verbs": ["get", "create"]},
    {"api_groups": [""], "resources": ["pods/log", "events"], "verbs": ["get", "list", "watch"]},
]


def grant_pods(
    name: str,
    *,
    namespace: pulumi.Input[str],
    account: str,
    account_namespace: str,
    opts: pulumi.ResourceOptions,
) -> None:
    """Let an account start pods in a namespace, run commands in them and delete them."""
    role = kubernetes.rbac.v1.Role(
        f"{name}-schedule-role",
        metadata={"name": "schedule-agents", "namespace": namespace},
        rules=_POD_RULES,
        opts=opts,
    )
    kubernetes.rbac.v1.RoleBinding(
        f"{name}-schedule-binding",
        metadata={"name": "schedule-agents", "namespace": namespace},
        role_ref={
            "api_group": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": role.metadata.apply(lambda metadata: metadata.name or ""),
        },
        subjects=[{"kind": "ServiceAccount", "name": account, "namespace": account_namespace}],
        opts=opts,
    )
