"""Which pods run on the node of a cluster, by an admission policy of the sandbox: objects stay as users deploy them.

A policy that changes pods when they are created, in namespaces with the ConfigMap `platform`: those of services, and
previews. All other pods, those of the system and of Jenkins, stay on nodes that kwok plays. So do pods that need what
the node does not have yet:

- disks, and volumes of other drivers than that of Secret Manager;
- data outside the cluster: all pods of a namespace with a database or a Redis of Google;
- machines of a certain kind: a selector, an affinity, a runtime class.

In a sandbox, a pod also gets a scheduling gate, which the gate of the sandbox removes (atwork/sandbox/verify/gate.py).
"""

from __future__ import annotations

from typing import Any

from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.blocked import ADMISSION
from atwork.sandbox.clusters.credentials import NODE
from atwork.sandbox.clusters.node.files import TAINT
from components.cluster_settings import CSI_DRIVER
from components.service import CONFIG_MAP

_MANAGER = "sandbox"
_NAME = "sandbox-node"
_DATA = ("DATABASE_INSTANCE", "REDIS_AUTH")
"""Variables of namespaces whose pods need data that this machine keeps elsewhere."""

_HOST = "kubernetes.io/hostname"
_TOLERATION = f"{{'key': '{TAINT}', 'operator': 'Exists', 'effect': 'NoSchedule'}}"
_CONDITIONS = {
    "data-in-the-cluster": f"!has(params.data) || !params.data.exists(name, name in {list(_DATA)})",
    "scratch-volumes": "!object.spec.?volumes.orValue([]).exists(volume, "
    f"(has(volume.csi) && volume.csi.driver != '{CSI_DRIVER}') || "
    "has(volume.persistentVolumeClaim) || has(volume.ephemeral))",
    "any-machine": "!has(object.spec.nodeSelector) && !has(object.spec.nodeName) && !has(object.spec.runtimeClassName)"
    " && !object.spec.?affinity.?nodeAffinity.hasValue()",
}
_SELECTOR = f"JSONPatch{{op: 'add', path: '/spec/nodeSelector', value: {{'{_HOST}': '{NODE}'}}}}"


def install(api: Api, *, gated: bool) -> None:
    """Create the policy in a cluster with a node; `gated` if a pod waits for the gate of the sandbox."""
    for body in (_policy(gated=gated), _binding()):
        place = api.place(body["apiVersion"], body["kind"])
        api.apply(place, body, manager=_MANAGER, force=True)


def _policy(*, gated: bool) -> dict[str, Any]:
    """https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/."""
    additions = [_add("tolerations", _TOLERATION)]
    if gated:
        additions.append(_add("schedulingGates", f"{{'name': '{ADMISSION}'}}"))
    mutation = f"[{', '.join([*additions, _SELECTOR])}]"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": _NAME},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [{"name": name, "expression": text} for name, text in _CONDITIONS.items()],
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": mutation}}],
        },
    }


def _binding() -> dict[str, Any]:
    """The parameter is the ConfigMap in the namespace of the pod; without it, the pod stays as it is."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": _NAME},
        "spec": {
            "policyName": _NAME,
            "paramRef": {"name": CONFIG_MAP, "parameterNotFoundAction": "Allow"},
        },
    }


def _add(name: str, item: str) -> str:
    """The expression of a patch that adds an item to a list of the pod's specification."""
    return (
        f"has(object.spec.{name})"
        f" ? JSONPatch{{op: 'add', path: '/spec/{name}/-', value: {item}}}"
        f" : JSONPatch{{op: 'add', path: '/spec/{name}', value: [{item}]}}"
    )
