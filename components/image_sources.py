"""The admission policy that lets only listed images run, in a cluster whose Binary Authorization only logs.

It holds for all namespaces but those of Kubernetes and GKE, where only administrators and Google start pods: GKE's
images come from registries that Google does not list completely.
https://cloud.google.com/binary-authorization/docs/policy-yaml-reference#admission-whitelist-patterns
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi_kubernetes as kubernetes

from components.admission_rules import NOT_OF_GKE, POD_CHANGES

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
    condition = " || ".join(allowed(pattern) for pattern in patterns)
    return {
        "failure_policy": "Fail",
        "match_constraints": {"resource_rules": [POD_CHANGES]},
        "match_conditions": [NOT_OF_GKE],
        "validations": [
            {
                "expression": f"object.spec.{field}.map(c, c.image).all(image, {condition})",
                "message": "the image is not of the platform's registry; use a released image, or name it in "
                "binary_authorization.also_allowed",
            }
            for field in ("containers", "?initContainers.orValue([])", "?ephemeralContainers.orValue([])")
        ],
    }
