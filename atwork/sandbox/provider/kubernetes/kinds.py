"""Properties of Kubernetes kinds: which have no namespace, and which fields are immutable."""

from __future__ import annotations

from collections.abc import Mapping

from atwork.sandbox.provider.diff import Path
from atwork.sandbox.provider.values import Json
from components.type_tokens import RELEASE

# Fields that the API server refuses to change; the official provider replaces the object instead.
_IMMUTABLE: dict[str, tuple[Path, ...]] = {
    "ConfigMap": (("data",), ("binaryData",)),
    "DaemonSet": (("spec", "selector"),),
    "Deployment": (("spec", "selector"),),
    "Job": (("spec", "selector"), ("spec", "template"), ("spec", "completions")),
    "PersistentVolumeClaim": (
        ("spec", "accessModes"),
        ("spec", "storageClassName"),
        ("spec", "volumeMode"),
        ("spec", "volumeName"),
    ),
    "ClusterRoleBinding": (("roleRef",),),
    "RoleBinding": (("roleRef",),),
    "Secret": (("type",), ("data",), ("stringData",)),
    "Service": (("spec", "clusterIP"),),
    "StatefulSet": (("spec", "selector"), ("spec", "serviceName"), ("spec", "volumeClaimTemplates")),
    "StorageClass": (("provisioner",), ("parameters",), ("reclaimPolicy",), ("volumeBindingMode",)),
}
_MUTABLE_BY_OPTION = {"ConfigMap": "enableConfigMapMutable", "Secret": "enableSecretMutable"}
_CLUSTER_SCOPED = {
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
}


def kind_of(token: str) -> str:
    """The kind of a type; a patch has the kind of its object."""
    return token.rpartition(":")[2].removesuffix("Patch")


def is_namespaced(token: str) -> bool:
    """Whether objects of a type are in a namespace."""
    return token == RELEASE or kind_of(token) not in _CLUSTER_SCOPED


def replaces(token: str, path: Path, config: Mapping[str, Json]) -> bool:
    """Whether a change at a path replaces the object: its name, its namespace, and immutable fields."""
    if token == RELEASE:
        return path[:1] in (("name",), ("namespace",))
    if path[:2] in (("metadata", "name"), ("metadata", "namespace")) or path[:1] in (("kind",), ("apiVersion",)):
        return True
    kind = kind_of(token)
    if kind in _MUTABLE_BY_OPTION and config.get(_MUTABLE_BY_OPTION[kind]) and path[0] != "type":
        return False
    return any(path[: len(immutable)] == immutable for immutable in _IMMUTABLE.get(kind, ()))
