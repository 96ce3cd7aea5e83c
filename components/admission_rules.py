"""What admission policies of several components match, and how they come into force."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

from components.google import reserved

_GKE = ", ".join(f"'{name}'" for name in reserved.system_namespaces() if name != "default")
_GKE_PREFIXES = "".join(
    f" && !request.namespace.startsWith('{prefix}')" for prefix in reserved.system_namespace_prefixes()
)

POD_CHANGES: kubernetes.admissionregistration.v1.NamedRuleWithOperationsArgsDict = {
    "api_groups": [""],
    "api_versions": ["v1"],
    "operations": ["CREATE", "UPDATE"],
    "resources": ["pods", "pods/ephemeralcontainers"],
}
"""New and changed pods, with the ephemeral containers of `kubectl debug`."""

NOT_OF_GKE: kubernetes.admissionregistration.v1.MatchConditionArgsDict = {
    "name": "not-of-gke",
    "expression": f"!(request.namespace in [{_GKE}]){_GKE_PREFIXES}",
}
"""All namespaces but those of Kubernetes and GKE, where only administrators and Google start pods."""


def enforce(
    name: str,
    policy_name: str,
    spec: pulumi.Input[kubernetes.admissionregistration.v1.ValidatingAdmissionPolicySpecArgsDict],
    opts: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """Make a policy, by its name in the cluster, and its binding, which has the same name."""
    policy = kubernetes.admissionregistration.v1.ValidatingAdmissionPolicy(
        name, metadata={"name": policy_name}, spec=spec, opts=opts
    )
    binding = kubernetes.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
        f"{name}-binding",
        metadata={"name": policy_name},
        spec={
            "policy_name": policy.metadata.apply(lambda metadata: metadata.name or policy_name),
            "validation_actions": ["Deny"],
        },
        opts=opts,
    )
    return [policy, binding]
