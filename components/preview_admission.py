"""What is refused at admission so that preview namespaces stay closed.

Candidates run in preview namespaces and nowhere else, and a preview namespace opens no way out. Network
policies add up, so that a chart could bring one that does. The first two hold for everybody, the second not for
whoever may delete the namespace, which is the program that creates it. Where the Identity-Aware Proxy has an OAuth
client of your own, what runs in a preview namespace does not change its Secret.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from components.admission_rules import POD_CHANGES, enforce
from components.gateway.names import IAP_CLIENT

LABEL = "atwork.dev/preview"
"""Label of the namespaces that are preview namespaces."""

_NOT_THE_PLATFORM = (
    "!authorizer.group('').resource('namespaces').namespace(request.namespace).name(request.namespace)"
    ".check('delete').allowed()"
)


def candidates_policy(address: str) -> kubernetes.admissionregistration.v1.ValidatingAdmissionPolicySpecArgsDict:
    """Pods outside of preview namespaces run no image of the repository of candidates."""
    other = f"!c.image.lowerAscii().startsWith('{address}/')"
    return {
        "failure_policy": "Fail",
        "match_constraints": {
            "resource_rules": [POD_CHANGES],
            "namespace_selector": {"match_expressions": [{"key": LABEL, "operator": "DoesNotExist"}]},
        },
        "validations": [
            {
                "expression": f"object.spec.{field}.all(c, {other})",
                "message": "candidates run in preview namespaces alone; release the image first",
            }
            for field in ("containers", "?initContainers.orValue([])", "?ephemeralContainers.orValue([])")
        ],
    }


def traffic_policy(kept: Sequence[str]) -> kubernetes.admissionregistration.v1.ValidatingAdmissionPolicySpecArgsDict:
    """In preview namespaces, network policies of a chart open nothing outwards, and those of the platform stay."""
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
                "message": "the platform's network policies of a preview namespace stay as they are",
            },
            {
                "expression": "request.operation == 'DELETE' || object.spec.?egress.orValue([]).size() == 0",
                "message": "a preview namespace opens no way out; preview_namespaces.internet_ports of the stack does",
            },
        ],
    }


CLIENT_POLICY: kubernetes.admissionregistration.v1.ValidatingAdmissionPolicySpecArgsDict = {
    "failure_policy": "Fail",
    "match_constraints": {
        "resource_rules": [
            {
                "api_groups": [""],
                "api_versions": ["v1"],
                "operations": ["CREATE", "UPDATE", "DELETE"],
                "resources": ["secrets", "serviceaccounts"],
            }
        ],
        "namespace_selector": {"match_labels": {LABEL: "true"}},
    },
    "match_conditions": [
        {
            "name": "accounts-of-the-namespace",
            "expression": "request.userInfo.username.startsWith('system:serviceaccount:' + request.namespace + ':')",
        }
    ],
    "validations": [
        {
            "expression": "(request.operation == 'DELETE' ? oldObject : object).metadata.?name.orValue('') "
            f"!= '{IAP_CLIENT}'",
            "message": f"{IAP_CLIENT} is the platform's: the Identity-Aware Proxy reads it; choose another name",
        }
    ],
}
"""What runs in a preview namespace leaves the OAuth client of the proxy alone; GKE's secret sync changes it."""


def make(name: str, *, candidates: pulumi.Input[str], kept: Sequence[str], opts: pulumi.ResourceOptions) -> None:
    """Both policies, in force."""
    specs = {
        "candidates": pulumi.Output.from_input(candidates).apply(candidates_policy),
        "previews": traffic_policy(kept),
    }
    for key, spec in specs.items():
        enforce(f"{name}-{key}", key, spec, opts)


def keep_client(name: str, opts: pulumi.ResourceOptions) -> None:
    """The policy for the OAuth client of the proxy, in force."""
    enforce(f"{name}-preview-iap-client", "preview-iap-client", CLIENT_POLICY, opts)
