"""The simulated Kubernetes API servers: one for each cluster of the simulated Google Cloud."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.provider import schema
from atwork.sandbox.provider.diff import Path
from atwork.sandbox.provider.gcp.outputs import CLUSTER, servers
from atwork.sandbox.provider.kubernetes import mounts
from atwork.sandbox.provider.package import Package, Refused, Request, automatic_name, number, stable
from atwork.sandbox.provider.values import UNKNOWN, Json, block, has_unknown, is_unknown, reveal, secret
from components.system_namespaces import is_system

RELEASE = "kubernetes:helm.sh/v3:Release"
_NAMESPACE = "kubernetes:core/v1:Namespace"
_CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
_AUTONAMED = "pulumi.com/autonamed"
# Fields that the API servers refuse to change, by kind; the provider replaces the object instead.
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
    "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "IngressClass", "Namespace", "Node",
    "PersistentVolume", "PriorityClass", "RuntimeClass", "StorageClass", "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration",
}  # fmt: skip


class Kubernetes(Package):
    """Package `kubernetes`."""

    name = "kubernetes"

    def rules(self, token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The SDK alone says what a property takes."""
        del token
        return {}, {}

    def completed(self, request: Request, old: Mapping[str, Json], seed: bytes) -> dict[str, Json]:
        """Fill in `apiVersion`, `kind` and a name; a release's name likewise."""
        inputs = dict(request.inputs)
        if request.token == RELEASE:
            inputs.setdefault(
                "name", old.get("name") or automatic_name(request.logical_name, seed, 8, salt=request.urn)
            )
            inputs.setdefault("namespace", "default")
            return inputs
        properties = schema.resource(request.token)["inputs"]["properties"]
        for key in ("apiVersion", "kind"):
            kind = properties.get(key)
            if isinstance(kind, dict) and "enum" in kind:
                inputs.setdefault(key, kind["enum"][0])
        if not _has_object_metadata(properties) or is_unknown(inputs.get("metadata")):
            return inputs
        metadata = dict(inputs.get("metadata") or {})
        if not metadata.get("name"):
            before = old.get("metadata") or {}
            automatic = (before.get("annotations") or {}).get(_AUTONAMED) == "true"
            kept = before.get("name") if automatic else None
            metadata["name"] = kept or automatic_name(request.logical_name, seed, 8, salt=request.urn)
            metadata["annotations"] = {**(metadata.get("annotations") or {}), _AUTONAMED: "true"}
        if _kind(request.token) not in _CLUSTER_SCOPED:
            metadata.setdefault("namespace", "default")
        return {**inputs, "metadata": metadata}

    def named(self, request: Request, namespace: str, name: str) -> dict[str, Json]:
        """The least inputs that say which object is meant."""
        properties = schema.resource(request.token)["inputs"]["properties"]
        kinds = {key: properties[key]["enum"][0] for key in ("apiVersion", "kind")}
        return {**kinds, "metadata": {"name": name, **({"namespace": namespace} if namespace else {})}}

    def replaces(self, token: str, path: Path, config: Mapping[str, Json]) -> bool:
        """A name, a namespace, and what the API servers call immutable."""
        kind = _kind(token)
        if token == RELEASE:
            return path[:1] in (("name",), ("namespace",))
        if path[:2] in (("metadata", "name"), ("metadata", "namespace")) or path[:1] in (("kind",), ("apiVersion",)):
            return True
        if kind in _MUTABLE_BY_OPTION and config.get(_MUTABLE_BY_OPTION[kind]) and path[0] != "type":
            return False
        return any(path[: len(fixed)] == fixed for fixed in _IMMUTABLE.get(kind, ()))

    def delete_first(self, request: Request, old: Mapping[str, Json]) -> bool:
        """For names that the program chose and that stay (pulumi-kubernetes, provider.go, `Diff`)."""
        metadata = reveal(request.inputs).get("metadata") or {}
        automatic = isinstance(metadata, dict) and (metadata.get("annotations") or {}).get(_AUTONAMED) == "true"
        if automatic or has_unknown(request.inputs):
            return False
        before = replace(request, inputs=dict(old))
        try:
            return self.identity(before) == self.identity(request)
        except (KeyError, Refused):
            return False

    def creatable(self, request: Request) -> None:
        """A cluster has some namespaces from the start."""
        name = self.identity(request)[1]
        if request.token == _NAMESPACE and is_system(name):
            raise Refused(f'namespaces "{name}" already exists: GKE made it with the cluster; choose another name')

    def updatable(self, request: Request, state: Mapping[str, Json]) -> None:
        """A volume never shrinks."""
        if request.token != _CLAIM or has_unknown(request.inputs):
            return
        before, after = _storage(state), _storage(request.inputs)
        if not before or not after or before == after:
            return
        from kubernetes.utils.quantity import parse_quantity  # the client of Kubernetes is slow to import

        if parse_quantity(after) < parse_quantity(before):
            raise Refused(
                f'PersistentVolumeClaim "{self.identity(request)[1]}" is invalid: spec.resources.requests.storage: '
                f"Forbidden: field can not be less than previous value ({before}); keep it, or move to another claim"
            )

    def identity(self, request: Request) -> tuple[str, str]:
        """The API server of the provider's kubeconfig; NAMESPACE/NAME, or NAME alone."""
        inputs = reveal(request.inputs)
        place = inputs if request.token == RELEASE else (inputs.get("metadata") or {})
        name = str(place.get("name"))
        namespaced = request.token == RELEASE or _kind(request.token) not in _CLUSTER_SCOPED
        return server(request.config), f"{place.get('namespace', 'default')}/{name}" if namespaced else name

    def scope(self, request: Request) -> str:
        """The API server of the provider's kubeconfig."""
        return server(request.config)

    def reachable(self, request: Request, cloud: Cloud) -> None:
        """Only a cluster that is there answers."""
        address = server(request.config)
        if not any(address in servers(one) for one in cloud.objects("", CLUSTER)):
            raise Refused(
                f'configured Kubernetes cluster is unreachable: Get "{address}/openapi/v2": no such host; bring the '
                "cluster up first, or take its resources out of the state"
            )

    def lets_go(self, request: Request) -> bool:
        """By the provider's option `deleteUnreachable`, or the environment variable that stands for it."""
        return delete_unreachable() or reveal(request.config.get("deleteUnreachable")) is True

    def links(self, request: Request) -> set[str]:
        """The namespace, which must be there."""
        scope, identity = self.identity(request)
        namespace, _, name = identity.rpartition("/")
        if not name or not namespace or is_system(namespace):
            return set()
        return {f"{scope}#{namespace}"}

    def outputs(self, request: Request, identity: str) -> dict[str, Json]:
        """The inputs, with what an API server adds."""
        inputs = {key: value for key, value in request.inputs.items() if not key.startswith("__")}
        if request.token == RELEASE:
            return {**inputs, "id": identity, "status": _release_status(reveal(inputs)), "resourceNames": {}}
        scope = "" if identity == UNKNOWN else server(request.config)
        metadata = {
            "uid": _uid(scope, request.token, identity),
            "resourceVersion": number(scope, identity, digits=6),
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            **block(inputs.get("metadata")),
        }
        made = {**inputs, "id": identity, "metadata": metadata}
        if _kind(request.token) == "Secret":
            made |= {key: secret(made[key]) for key in ("data", "stringData") if key in made}
        if _kind(request.token) == "Service":
            spec = block(reveal(inputs).get("spec"))
            digits = stable("service", scope, identity)
            spec.setdefault("clusterIP", f"34.118.{224 + int(digits[:2], 16) % 16}.{1 + int(digits[2:4], 16) % 254}")
            made["spec"] = spec
            if spec.get("type") == "LoadBalancer":
                address = f"203.0.113.{1 + int(digits[4:6], 16) % 254}"
                made["status"] = {"loadBalancer": {"ingress": [{"ip": address}]}}
        return made

    def unready(self, made: CloudObject, cloud: Cloud) -> list[str]:
        """A release waits for its pod, and the pod for what it mounts."""
        return mounts.unready(made.inputs, made.scope, cloud) if made.type == RELEASE else []

    def deletable(self, found: CloudObject, cloud: Cloud) -> None:
        """Kubernetes deletes what it is told to; a namespace takes its content along."""
        del found, cloud

    def gone(self, found: CloudObject, cloud: Cloud) -> None:
        """Delete it; with a namespace all that is in it."""
        if found.type == _NAMESPACE:
            for one in cloud.objects(found.scope):
                if one.id.startswith(f"{found.id}/"):
                    cloud.delete(one.scope, one.type, one.id)
        cloud.delete(found.scope, found.type, found.id)

    def present(self, link: str, cloud: Cloud) -> bool:
        """Whether the namespace of a link is there."""
        scope, _, namespace = link.rpartition("#")
        return cloud.get(scope, _NAMESPACE, namespace) is not None


def _storage(inputs: Mapping[str, Json]) -> str:
    value = reveal(dict(inputs))
    for key in ("spec", "resources", "requests", "storage"):
        value = value.get(key) if isinstance(value, dict) else None
    return str(value or "")


def delete_unreachable() -> bool:
    """Whether the environment lets go of what a refresh cannot reach, as the real provider reads it."""
    return os.environ.get("PULUMI_K8S_DELETE_UNREACHABLE", "").lower() in ("true", "1")


def server(config: Mapping[str, Json]) -> str:
    """Address of the API server in the provider's kubeconfig."""
    text = reveal(config.get("kubeconfig"))
    try:
        clusters = json.loads(text or "{}").get("clusters") or []
        return clusters[0]["cluster"]["server"]
    except (json.JSONDecodeError, LookupError, TypeError, AttributeError):
        raise Refused("the provider's kubeconfig names no cluster; give it the one of the cluster's stack") from None


def _has_object_metadata(properties: Mapping[str, Any]) -> bool:
    """Whether the type has names; lists of objects have metadata without one."""
    kind = properties.get("metadata")
    return isinstance(kind, dict) and "ObjectMeta" in kind.get("object", "")


def _kind(token: str) -> str:
    return token.rpartition(":")[2].removesuffix("Patch")


def _uid(*parts: str) -> str:
    digits = stable("uid", *parts)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


def _release_status(inputs: dict[str, Any]) -> dict[str, Json]:
    return {
        "name": inputs.get("name"),
        "namespace": inputs.get("namespace"),
        "chart": str(inputs.get("chart", "")).rpartition("/")[2],
        "version": inputs.get("version", ""),
        "revision": 1,
        "status": "deployed",
    }
