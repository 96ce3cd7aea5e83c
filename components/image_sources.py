"""The admission policy that lets only listed images run, in a cluster whose Binary Authorization only logs.

It holds for all namespaces but those of Kubernetes and GKE, where only administrators and Google start pods: GKE's
images come from registries that Google does not list completely.
https://cloud.google.com/binary-authorization/docs/policy-yaml-reference#admission-whitelist-patterns
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from components.admission_rules import POD_CHANGES
from components.google import reserved

POLICY = "image-sources"


def allowed(pattern: str) -> str:
    """The CEL expression that is true for an `image` that a pattern of Binary Authorization matches."""
    if pattern.endswith((":*", "@*")):
        return f"image.startsWith('{pattern[:-1]}')"
    if pattern.endswith("/**"):
        return f"image.startsWith('{pattern[:-2]}')"
    if pattern.endswith("/*"):
        return f"image.matches('^{pattern[:-1].replace('.', '[.]')}[^/]+$')"
    return f"image == '{pattern}'"


def policy_spec(patterns: Sequence[str]) -> kubernetes.admissionregistration.v1.ValidatingAdmissionPolicySpecArgsDict:
    """Pods run only images that a pattern matches."""
    names = ", ".join(f"'{name}'" for name in reserved.system_namespaces() if name != "default")
    prefixes = "".join(
        f" && !request.namespace.startsWith('{prefix}')" for prefix in reserved.system_namespace_prefixes()
    )
    condition = " || ".join(allowed(pattern) for pattern in patterns)
    return {
        "failure_policy": "Fail",
        "match_constraints": {"resource_rules": [POD_CHANGES]},
        "match_conditions": [
            {"name": "not-of-gke", "expression": f"!(request.namespace in [{names}]){prefixes}"},
        ],
        "validations": [
            {
                "expression": f"object.spec.{field}.map(c, c.image).all(image, {condition})",
                "message": "the image is not of the platform's registry; use a released image, or name it in "
                "binary_authorization.also_allowed",
            }
            for field in ("containers", "?initContainers.orValue([])", "?ephemeralContainers.orValue([])")
        ],
    }


def make(name: str, patterns: pulumi.Output[list[str]], opts: pulumi.ResourceOptions) -> list[pulumi.Resource]:
    """The policy, in force."""
    policy = kubernetes.admissionregistration.v1.ValidatingAdmissionPolicy(
        name, metadata={"name": POLICY}, spec=patterns.apply(policy_spec), opts=opts
    )
    binding = kubernetes.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
        f"{name}-binding",
        metadata={"name": POLICY},
        spec={
            "policy_name": policy.metadata.apply(lambda metadata: metadata.name or ""),
            "validation_actions": ["Deny"],
        },
        opts=opts,
    )
    return [policy, binding]
