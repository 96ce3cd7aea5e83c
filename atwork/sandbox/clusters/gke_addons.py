"""Objects that GKE creates in a new cluster: namespaces, kinds of add-ons, storage classes."""

from __future__ import annotations

from typing import Any

from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.collection_kinds import SPECS
from components.google.reserved import system_namespaces

FIELD_MANAGER = "gke"
DISK_DRIVER = "pd.csi.storage.gke.io"

# Kinds of GKE's add-ons. Those without a schema in collection_kinds.py accept any content.
_KINDS = {
    "gateway.networking.k8s.io": (("v1", "Gateway", "gateways"), ("v1", "HTTPRoute", "httproutes")),
    "networking.gke.io": (
        ("v1", "GCPBackendPolicy", "gcpbackendpolicies"),
        ("v1", "GCPGatewayPolicy", "gcpgatewaypolicies"),
        ("v1", "HealthCheckPolicy", "healthcheckpolicies"),
    ),
    "monitoring.googleapis.com": (("v1", "PodMonitoring", "podmonitorings"), ("v1", "Rules", "rules")),
    "secret-sync.gke.io": (("v1", "SecretSync", "secretsyncs"),),
    "secrets-store.csi.x-k8s.io": (
        ("v1", "SecretProviderClass", "secretproviderclasses"),
        ("v1", "SecretProviderClassPodStatus", "secretproviderclasspodstatuses"),
    ),
}
_WITH_STATUS = ("SecretProviderClassPodStatus",)
"""Kinds whose status is written together with all other fields."""

_STORAGE_CLASSES = {"standard-rwo": ("pd-balanced", True), "premium-rwo": ("pd-ssd", False)}


def create_system_namespaces(api: Api) -> None:
    """Create the namespaces that a GKE cluster has from the start."""
    namespaces = api.place("v1", "Namespace")
    for name in system_namespaces():
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        api.apply(namespaces, body, manager=FIELD_MANAGER, force=True)


def install_addons(api: Api) -> None:
    """Create the kinds and storage classes of GKE that the program uses."""
    definitions = api.place("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    for group, kinds in _KINDS.items():
        for version, kind, plural in kinds:
            api.apply(definitions, _definition(group, version, kind, plural), manager=FIELD_MANAGER, force=True)
    classes = api.place("storage.k8s.io/v1", "StorageClass")
    for name, (disk, default) in _STORAGE_CLASSES.items():
        annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
        body = {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name, "annotations": annotations},
            "provisioner": DISK_DRIVER,
            "parameters": {"type": disk},
            "volumeBindingMode": "WaitForFirstConsumer",
            "allowVolumeExpansion": True,
        }
        api.apply(classes, body, manager=FIELD_MANAGER, force=True)


def _definition(group: str, version: str, kind: str, plural: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    if kind in SPECS:
        schema |= {"required": ["spec"], "properties": {"spec": SPECS[kind]}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            # Groups below k8s.io are reserved for Kubernetes; this annotation permits the definition.
            "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {} if kind in _WITH_STATUS else {"status": {}},
                }
            ],
        },
    }
