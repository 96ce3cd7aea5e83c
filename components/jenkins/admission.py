"""The admission policies of builds and tests, whose pods are chosen by everybody who may push to a repository.

`jenkins-agents` applies to the namespace of builds and forbids most of what its Pod Security level allows. Rootless
BuildKit must run without seccomp and AppArmor, which only the level `privileged` admits. This policy forbids everything
else that the level `baseline` forbids, and also requires a seccomp profile, because at `privileged` a container has no
profile by default. Controls: https://kubernetes.io/docs/concepts/security/pod-security-standards

`jenkins-placement` applies to the namespaces of builds and tests: their pods run on the agents' nodes only, because
other nodes run Jenkins and pods with the identities that deploy.

Traps: an update of a pod is checked too, because its images can change. A pod that has a node also has a node name.
Kubernetes adds tolerations of the conditions of nodes (`node.kubernetes.io/`) to pods by itself.
"""

from __future__ import annotations

import pulumi_kubernetes as kubernetes

from components.admission_rules import POD_CHANGES
from components.jenkins import names

POLICY = "jenkins-agents"
PLACEMENT_POLICY = "jenkins-placement"

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
    "only the platform's BuildKit as the container buildkit": _ALL.format(
        "c.name != 'buildkit' || (c.image == variables.buildkit && c.?securityContext.?runAsUser.orValue("
        "object.spec.?securityContext.?runAsUser.orValue(0)) == 1000)"
    ),
}
"""Expressions (CEL) that must be true, by their message."""

PLACEMENT_RULES = {
    "only the nodes of the agents": (
        f"object.spec.?nodeSelector.orValue({{}}) == {{'{names.POOL_LABEL}': variables.pool}} && "
        "!has(object.spec.affinity)"
    ),
    "no name of a node": "request.operation == 'UPDATE' || object.spec.?nodeName.orValue('') == ''",
    "no toleration but that of the agents' nodes": (
        "object.spec.?tolerations.orValue([]).all(t, t.?key.orValue('').startsWith('node.kubernetes.io/') || "
        f"(t.?key.orValue('') == '{names.POOL_LABEL}' && t.?value.orValue('') == variables.pool))"
    ),
    "only the priority of agents": f"object.spec.?priorityClassName.orValue('') in ['', '{names.AGENT_PRIORITY}']",
}
"""Expressions that must be true for builds and tests, by their message."""


def policy_spec(buildkit: str) -> kubernetes.admissionregistration.v1.ValidatingAdmissionPolicySpecArgsDict:
    """The rules of builds with the image of BuildKit; pods are refused if the rules cannot be evaluated."""
    return {
        "failure_policy": "Fail",
        "match_constraints": {"resource_rules": [POD_CHANGES]},
        "variables": [
            {"name": "containers", "expression": "object.spec.containers + object.spec.?initContainers.orValue([])"},
            {"name": "buildkit", "expression": f"'{buildkit}'"},
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


def placement_spec(pool: str) -> kubernetes.admissionregistration.v1.ValidatingAdmissionPolicySpecArgsDict:
    """The rules of builds and tests with the name of their node pool."""
    return {
        "failure_policy": "Fail",
        "match_constraints": {"resource_rules": [POD_CHANGES]},
        "variables": [{"name": "pool", "expression": f"'{pool}'"}],
        "validations": [
            {"expression": expression, "message": f"pods of builds and tests have {message}"}
            for message, expression in PLACEMENT_RULES.items()
        ],
    }


def placement_binding_spec() -> kubernetes.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpecArgsDict:
    """The policy applies to the namespaces of builds and tests."""
    namespaces = [names.AGENTS_NAMESPACE, names.TESTS_NAMESPACE]
    return {
        "policy_name": PLACEMENT_POLICY,
        "validation_actions": ["Deny"],
        "match_resources": {
            "namespace_selector": {
                "match_expressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": namespaces}]
            }
        },
    }
