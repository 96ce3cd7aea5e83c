"""What is refused at admission so that popups stay what they are.

Two policies: candidates run in popup namespaces and nowhere else, and a popup opens no way out of its namespace, whose
network policies add up, so that its own chart could. Both hold for everybody, and the second not for whoever may delete
the namespace, which is the program that makes it.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes

LABEL = "atwork.dev/popup"
"""Label of the namespaces that are popups."""

_NOT_THE_PLATFORM = (
    "!authorizer.group('').resource('namespaces').namespace(request.namespace).name(request.namespace)"
    ".check('delete').allowed()"
)


def candidates_policy(address: str) -> kubernetes.admissionregistration.v1.ValidatingAdmissionPolicySpecArgsDict:
    """Pods outside of popups run no image of the repository of candidates."""
    other = f"!c.image.lowerAscii().startsWith('{address}/')"
    return {
        "failure_policy": "Fail",
        "match_constraints": {
            "resource_rules": [
                {
                    "api_groups": [""],
                    "api_versions": ["v1"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["pods", "pods/ephemeralcontainers"],
                }
            ],
            "namespace_selector": {"match_expressions": [{"key": LABEL, "operator": "DoesNotExist"}]},
        },
        "validations": [
            {
                "expression": f"object.spec.{field}.all(c, {other})",
                "message": "candidates run in popup namespaces alone; release the image first",
            }
            for field in ("containers", "?initContainers.orValue([])", "?ephemeralContainers.orValue([])")
        ],
    }


def traffic_policy(kept: Sequence[str]) -> kubernetes.admissionregistration.v1.ValidatingAdmissionPolicySpecArgsDict:
    """In popups, network policies of a chart open nothing outwards, and those of the platform stay."""
    names = ", ".join(f"'{name}'" for name in kept)
    return {
        "failure_policy": "Fail",
        "match_constraints": {
            "resource_rules": [
                {
                    "api_groups": ["networking.k8s.io"],
                    "api_versions": ["v1"],
                    "operations": ["CREATE", "UPDATE", "DELETE"],
                    "resources": ["networkpolicies"],
                }
            ],
            "namespace_selector": {"match_labels": {LABEL: "true"}},
        },
        "match_conditions": [{"name": "not-the-platform", "expression": _NOT_THE_PLATFORM}],
        "validations": [
            {
                "expression": f"request.operation == 'CREATE' || !(oldObject.metadata.name in [{names}])",
                "message": "the platform's network policies of a popup stay as they are",
            },
            {
                "expression": "request.operation == 'DELETE' || object.spec.?egress.orValue([]).size() == 0",
                "message": "a popup opens no way out of its namespace; popups.internet_ports of the stack does",
            },
        ],
    }


def make(name: str, *, candidates: pulumi.Input[str], kept: Sequence[str], opts: pulumi.ResourceOptions) -> None:
    """Both policies, in force."""
    specs = {
        "candidates": pulumi.Output.from_input(candidates).apply(candidates_policy),
        "popups": traffic_policy(kept),
    }
    for key, spec in specs.items():
        policy = kubernetes.admissionregistration.v1.ValidatingAdmissionPolicy(
            f"{name}-{key}", metadata={"name": key}, spec=spec, opts=opts
        )
        kubernetes.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
            f"{name}-{key}-binding",
            metadata={"name": key},
            spec={
                "policy_name": policy.metadata.apply(lambda found: found.name or ""),
                "validation_actions": ["Deny"],
            },
            opts=opts,
        )
