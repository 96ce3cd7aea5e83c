"""The admission policy of the builders' namespace, which forbids most of what its Pod Security level allows.

Rootless BuildKit must run without seccomp and AppArmor, which only the level `privileged` admits. This policy forbids
everything else that the level `baseline` forbids, and also requires a seccomp profile, because at `privileged` a
container has no profile by default. Controls: https://kubernetes.io/docs/concepts/security/pod-security-standards
"""

from __future__ import annotations

import pulumi_kubernetes as kubernetes

from components.admission_rules import POD_CHANGES
from components.jenkins import names

POLICY = "jenkins-agents"

_ALL = "variables.containers.all(c, {})"
_CONFINED = "(c.name == 'buildkit' || {})"
_BETA_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"

RULES = {
    "no privileged containers": _ALL.format("!c.?securityContext.?privileged.orValue(false)"),
    "no host network, processes or IPC": (
        "!object.spec.?hostNetwork.orValue(false) && !object.spec.?hostPID.orValue(false) && "
        "!object.spec.?hostIPC.orValue(false)"
    ),
    "no hostPath volumes": "object.spec.?volumes.orValue([]).all(v, !has(v.hostPath))",
    "no host ports": _ALL.format("c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0)"),
    "no added capabilities": _ALL.format("c.?securityContext.?capabilities.?add.orValue([]).size() == 0"),
    "no unmasked /proc": _ALL.format("c.?securityContext.?procMount.orValue('Default') == 'Default'"),
    "no sysctls": "object.spec.?securityContext.?sysctls.orValue([]).size() == 0",
    "no debug containers": "object.spec.?ephemeralContainers.orValue([]).size() == 0",
    "a seccomp profile for every container but buildkit": _ALL.format(
        _CONFINED.format(
            "c.?securityContext.?seccompProfile.?type.orValue("
            "object.spec.?securityContext.?seccompProfile.?type.orValue('Unconfined')) != 'Unconfined'"
        )
    ),
    "no container without AppArmor but buildkit": (
        "object.spec.?securityContext.?appArmorProfile.?type.orValue('RuntimeDefault') != 'Unconfined' && "
        + _ALL.format(
            _CONFINED.format("c.?securityContext.?appArmorProfile.?type.orValue('RuntimeDefault') != 'Unconfined'")
        )
        + " && object.metadata.?annotations.orValue({}).all(k, "
        f"!k.startsWith('{_BETA_APPARMOR}') || k == '{_BETA_APPARMOR}buildkit')"
    ),
}
"""Expressions (CEL) that must be true, by their message."""


def policy_spec() -> kubernetes.admissionregistration.v1.ValidatingAdmissionPolicySpecArgsDict:
    """The rules; pods are refused if the rules cannot be evaluated."""
    return {
        "failure_policy": "Fail",
        "match_constraints": {"resource_rules": [POD_CHANGES]},
        "variables": [
            {"name": "containers", "expression": "object.spec.containers + object.spec.?initContainers.orValue([])"}
        ],
        "validations": [
            {"expression": expression, "message": f"{names.AGENTS_NAMESPACE} allows {message}"}
            for message, expression in RULES.items()
        ],
    }


def binding_spec() -> kubernetes.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpecArgsDict:
    """The policy applies only to the builders' namespace."""
    return {
        "policy_name": POLICY,
        "validation_actions": ["Deny"],
        "match_resources": {
            "namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": names.AGENTS_NAMESPACE}}
        },
    }
