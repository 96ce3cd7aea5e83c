"""Package `kubernetes`: the simulated API servers, one for each cluster of the simulated Google Cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.provider import schema
from atwork.sandbox.provider.diff import Path
from atwork.sandbox.provider.errors import Refused
from atwork.sandbox.provider.gcp.clusters import servers
from atwork.sandbox.provider.kubernetes import kinds, load_balancers, mounts
from atwork.sandbox.provider.kubernetes.kubeconfig import delete_unreachable, server_of
from atwork.sandbox.provider.kubernetes.outputs import object_outputs, release_outputs
from atwork.sandbox.provider.names import automatic_name
from atwork.sandbox.provider.package import Package, ResourceRequest
from atwork.sandbox.provider.values import UNKNOWN, Json, has_unknown, is_unknown, reveal
from components.google.reserved import is_system_namespace
from components.type_tokens import CLUSTER, KUBERNETES_NAMESPACE, RELEASE, VOLUME_CLAIM

_AUTONAMED = "pulumi.com/autonamed"


class Kubernetes(Package):
    """Kubernetes clusters."""

    name = "kubernetes"

    def rules(self, token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The SDK states everything about the properties."""
        del token
        return {}, {}

    def complete(self, resource: ResourceRequest, old: Mapping[str, Json], seed: bytes) -> dict[str, Json]:
        """The inputs with `apiVersion`, `kind`, namespace and an automatic name; a release with the last two."""
        inputs = dict(resource.inputs)
        generated = automatic_name(resource.logical_name, seed, 8, salt=resource.urn)
        if resource.token == RELEASE:
            inputs.setdefault("name", old.get("name") or generated)
            inputs.setdefault("namespace", "default")
            return inputs
        properties = schema.resource(resource.token)["inputs"]["properties"]
        for key in ("apiVersion", "kind"):
            kind = properties.get(key)
            if isinstance(kind, dict) and "enum" in kind:
                inputs.setdefault(key, kind["enum"][0])
        if not _has_object_metadata(properties) or is_unknown(inputs.get("metadata")):
            return inputs
        metadata = dict(inputs.get("metadata") or {})
        if not metadata.get("name"):
            before = old.get("metadata") or {}
            metadata["name"] = (before.get("name") if _is_autonamed(before) else None) or generated
            metadata["annotations"] = {**(metadata.get("annotations") or {}), _AUTONAMED: "true"}
        if kinds.is_namespaced(resource.token):
            metadata.setdefault("namespace", "default")
        return {**inputs, "metadata": metadata}

    def minimal_inputs(self, token: str, namespace: str, name: str) -> dict[str, Json]:
        """The inputs that identify an object."""
        properties = schema.resource(token)["inputs"]["properties"]
        type_meta = {key: properties[key]["enum"][0] for key in ("apiVersion", "kind")}
        return {**type_meta, "metadata": {"name": name, **({"namespace": namespace} if namespace else {})}}

    def replaces(self, token: str, path: Path, config: Mapping[str, Json]) -> bool:
        """Names, namespaces and immutable fields."""
        return kinds.replaces(token, path, config)

    def replacing_config_keys(self, old: Mapping[str, Json], new: Mapping[str, Json]) -> set[str]:
        """Another cluster: by its identifier, or by the API server in the kubeconfig."""
        if "clusterIdentifier" in new or reveal(old.get("kubeconfig")) == reveal(new.get("kubeconfig")):
            return {"clusterIdentifier"}
        moved = has_unknown(new.get("kubeconfig")) or server_of(old) != server_of(new)
        return {"clusterIdentifier", "kubeconfig"} if moved else {"clusterIdentifier"}

    def deletes_before_replace(self, resource: ResourceRequest, old: Mapping[str, Json]) -> bool:
        """Names from the program that stay the same (pulumi-kubernetes, provider.go, `Diff`)."""
        if _is_autonamed(reveal(resource.inputs).get("metadata")) or has_unknown(resource.inputs):
            return False
        before = replace(resource, inputs=dict(old))
        try:
            return self.identity(before) == self.identity(resource)
        except (KeyError, Refused):
            return False

    def check_create(self, resource: ResourceRequest) -> None:
        """A cluster has some namespaces from the start."""
        name = self.identity(resource)[1]
        if resource.token == KUBERNETES_NAMESPACE and is_system_namespace(name):
            raise Refused(f'namespaces "{name}" already exists: GKE made it with the cluster; choose another name')

    def check_update(self, resource: ResourceRequest, state: Mapping[str, Json]) -> None:
        """A volume never shrinks."""
        if resource.token != VOLUME_CLAIM or has_unknown(resource.inputs):
            return
        before, after = _requested_storage(state), _requested_storage(resource.inputs)
        if not before or not after or before == after:
            return
        from kubernetes.utils.quantity import parse_quantity  # the client of Kubernetes is slow to import

        if parse_quantity(after) < parse_quantity(before):
            raise Refused(
                f'PersistentVolumeClaim "{self.identity(resource)[1]}" is invalid: spec.resources.requests.storage: '
                f"Forbidden: field can not be less than previous value ({before}); keep it, or move to another claim"
            )

    def identity(self, resource: ResourceRequest) -> tuple[str, str]:
        """The API server in the provider's kubeconfig; NAMESPACE/NAME, or NAME without a namespace."""
        inputs = reveal(resource.inputs)
        metadata = inputs if resource.token == RELEASE else (inputs.get("metadata") or {})
        name = str(metadata.get("name"))
        if kinds.is_namespaced(resource.token):
            name = f"{metadata.get('namespace', 'default')}/{name}"
        return server_of(resource.config), name

    def scope(self, resource: ResourceRequest) -> str:
        """The API server in the provider's kubeconfig."""
        return server_of(resource.config)

    def check_reachable(self, resource: ResourceRequest, cloud: Cloud) -> None:
        """Only an existing cluster answers."""
        server = server_of(resource.config)
        if not any(server in servers(cluster) for cluster in cloud.objects("", CLUSTER)):
            raise Refused(
                f'configured Kubernetes cluster is unreachable: Get "{server}/openapi/v2": no such host; bring the '
                "cluster up first, or take its resources out of the state"
            )

    def unreachable_is_deleted(self, resource: ResourceRequest) -> bool:
        """The provider's option `deleteUnreachable`, or the environment variable for it."""
        return delete_unreachable() or reveal(resource.config.get("deleteUnreachable")) is True

    def references(self, resource: ResourceRequest) -> set[str]:
        """The namespace: SERVER#NAMESPACE."""
        server, identity = self.identity(resource)
        namespace, _, name = identity.rpartition("/")
        if not name or not namespace or is_system_namespace(namespace):
            return set()
        return {f"{server}#{namespace}"}

    def check_reference(self, reference: str, cloud: Cloud) -> None:
        """Refuse an object in a namespace that does not exist."""
        server, _, namespace = reference.rpartition("#")
        if cloud.get(server, KUBERNETES_NAMESPACE, namespace) is None:
            raise Refused(f'namespaces "{namespace}" not found; create it first')

    def outputs(self, resource: ResourceRequest, identity: str) -> dict[str, Json]:
        """The inputs with what an API server or Helm adds."""
        inputs = {key: value for key, value in resource.inputs.items() if not key.startswith("__")}
        if resource.token == RELEASE:
            return release_outputs(inputs, identity)
        server = "" if identity == UNKNOWN else server_of(resource.config)
        return object_outputs(resource.token, inputs, server, identity)

    def readiness_problems(self, changed: CloudObject, cloud: Cloud) -> list[str]:
        """A release waits for its pod, and the pod for its volumes."""
        return mounts.problems(changed.inputs, changed.scope, cloud) if changed.type == RELEASE else []

    def settle(self, changed: CloudObject, cloud: Cloud) -> None:
        """GKE's controller creates the load balancers of Gateways."""
        if changed.type in load_balancers.KINDS:
            load_balancers.reconcile(changed.scope, cloud)

    def check_delete(self, existing: CloudObject, cloud: Cloud) -> None:
        """Kubernetes protects nothing; a namespace is deleted with its content."""
        del existing, cloud

    def delete(self, existing: CloudObject, cloud: Cloud) -> None:
        """Delete the object; a namespace with everything inside it."""
        if existing.type == KUBERNETES_NAMESPACE:
            for inner in cloud.objects(existing.scope):
                if inner.id.startswith(f"{existing.id}/"):
                    cloud.delete(inner.scope, inner.type, inner.id)
        cloud.delete(existing.scope, existing.type, existing.id)
        if existing.type in (*load_balancers.KINDS, KUBERNETES_NAMESPACE):
            load_balancers.reconcile(existing.scope, cloud)


def _requested_storage(inputs: Mapping[str, Json]) -> str:
    value = reveal(dict(inputs))
    for key in ("spec", "resources", "requests", "storage"):
        value = value.get(key) if isinstance(value, dict) else None
    return str(value or "")


def _has_object_metadata(properties: Mapping[str, Any]) -> bool:
    """Whether objects of the type have names; lists of objects have metadata without a name."""
    kind = properties.get("metadata")
    return isinstance(kind, dict) and "ObjectMeta" in kind.get("object", "")


def _is_autonamed(metadata: Json) -> bool:
    return isinstance(metadata, dict) and (metadata.get("annotations") or {}).get(_AUTONAMED) == "true"
