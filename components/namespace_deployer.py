"""The account with which Helm installs charts in one namespace, and the Google account that may act as it.

Owns: the account `deployer` of a namespace and the right to act as it.
Does not own: what this account may change (the binding of a role, which differs between kinds of namespaces).

Traps: a chart may name any namespace, and its templates may read Secrets of any namespace (`lookup`). Whoever installs
charts therefore has no rights of its own: it acts as the account of one namespace, which has none in any other
(docs/adr/0003-jenkins-deploy-rights.md). https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation
"""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

DEPLOYER = "deployer"
"""Name of the account in each namespace."""

_RBAC = "rbac.authorization.k8s.io"


def make(
    name: str, *, namespace: pulumi.Input[str], acting: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> kubernetes.rbac.v1.SubjectArgsDict:
    """Declare the account and let `acting`, the e-mail address of a Google account, act as it; returns the account."""
    kubernetes.core.v1.ServiceAccount(
        f"{name}-deployer",
        metadata={"name": DEPLOYER, "namespace": namespace},
        automount_service_account_token=False,
        opts=opts,
    )
    role = kubernetes.rbac.v1.Role(
        f"{name}-act",
        metadata={"name": "act-as-deployer", "namespace": namespace},
        rules=[
            {
                "api_groups": [""],
                "resources": ["serviceaccounts"],
                "resource_names": [DEPLOYER],
                "verbs": ["impersonate"],
            }
        ],
        opts=opts,
    )
    kubernetes.rbac.v1.RoleBinding(
        f"{name}-act-binding",
        metadata={"name": "act", "namespace": namespace},
        role_ref={
            "api_group": _RBAC,
            "kind": "Role",
            "name": role.metadata.apply(lambda metadata: metadata.name or ""),
        },
        subjects=[{"kind": "User", "name": acting, "api_group": _RBAC}],
        opts=opts,
    )
    return {"kind": "ServiceAccount", "name": DEPLOYER, "namespace": namespace}
