"""The environments in the simulated clouds: objects by type or kind, and properties that the checks need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from atwork.engine.urn import stack_of
from atwork.sandbox.cloud import CloudObject
from atwork.sandbox.provider.values import reveal
from components.google.reserved import is_system_namespace
from components.type_tokens import CLUSTER, OCCURRENCE, RELEASE, SECRET, SECRET_VERSION, SUBNETWORK
from infra.stack_name import StackName

Object = Mapping[str, Any]
"""Inputs of a resource; for Kubernetes the manifest."""


@dataclass(frozen=True)
class EnvironmentObjects:
    """An environment: Google's resources by type, Kubernetes objects by kind, namespace and name."""

    name: str
    google: Mapping[str, list[Object]]
    """Outputs overlaid with inputs, by type."""
    kubernetes: Mapping[tuple[str, str, str], Object]

    def all(self, token: str) -> list[Object]:
        """Resources of a type."""
        return list(self.google.get(token, ()))

    def only(self, token: str) -> Object:
        """The only resource of a type; empty if there is none."""
        return next(iter(self.google.get(token, ())), {})

    @property
    def cluster(self) -> Object:
        """Its GKE cluster."""
        return self.only(CLUSTER)

    @property
    def project(self) -> str:
        """The project of its cluster, by the cluster's id `projects/P/locations/L/clusters/C`."""
        return str(self.cluster["id"]).split("/")[1]

    def kind(self, kind: str, namespace: str | None = None) -> list[Object]:
        """Kubernetes objects of a kind, in all namespaces or in one."""
        return [
            manifest
            for (object_kind, object_namespace, _), manifest in self.kubernetes.items()
            if object_kind == kind and namespace in (None, object_namespace)
        ]

    def has(self, kind: str, namespace: str, name: str) -> bool:
        """Whether a Kubernetes object exists."""
        return (kind, namespace, name) in self.kubernetes

    def labels_of(self, namespace: str) -> Mapping[str, str] | None:
        """Labels of a namespace; None if it does not exist."""
        manifest = self.kubernetes.get(("Namespace", "", namespace))
        if manifest is None and not is_system_namespace(namespace):
            return None
        labels = (manifest or {}).get("metadata", {}).get("labels") or {}
        return {**labels, "kubernetes.io/metadata.name": namespace}

    def namespaces(self) -> list[str]:
        """Namespaces of the program."""
        return [name for kind, _, name in self.kubernetes if kind == "Namespace"]

    def with_objects(self, objects: Iterable[Object]) -> EnvironmentObjects:
        """The environment with the Kubernetes objects of a chart."""
        added = {_key(manifest): manifest for manifest in objects}
        return EnvironmentObjects(self.name, self.google, {**self.kubernetes, **added})


def environments(objects: Iterable[CloudObject]) -> dict[str, EnvironmentObjects]:
    """The environments that have a cluster, by name, each with the stacks of its groups."""
    google: dict[str, dict[str, list[Object]]] = defaultdict(lambda: defaultdict(list))
    kubernetes: dict[str, dict[tuple[str, str, str], Object]] = defaultdict(dict)
    unowned: dict[str, list[Object]] = defaultdict(list)
    for item in objects:
        stack = StackName.parse(stack_of(item.urn)).environment
        if not item.type.startswith("kubernetes:"):
            resource = {**reveal(item.outputs), **reveal(item.inputs), "id": item.id}
            (google[stack] if stack else unowned)[item.type].append(resource)
        elif stack and item.type != RELEASE and not item.type.endswith("Patch"):
            manifest = reveal(item.inputs)
            kubernetes[stack][_key(manifest)] = manifest
        elif stack and item.type == RELEASE:
            google[stack][RELEASE].append(reveal(item.inputs))
    # Secrets and their versions are also created without Pulumi, and their ids name their project; so are subnets.
    # Attestations are in the project of the promote job.
    for resources in google.values():
        for token in (SECRET, SECRET_VERSION, OCCURRENCE):
            resources[token] += unowned.get(token, [])
        subnets = {str(cluster.get("subnetwork")) for cluster in resources.get(CLUSTER, ())}
        resources[SUBNETWORK] += [item for item in unowned.get(SUBNETWORK, []) if item["id"] in subnets]
    return {
        name: EnvironmentObjects(name, resources, kubernetes[name])
        for name, resources in google.items()
        if name and CLUSTER in resources
    }


def _key(manifest: Object) -> tuple[str, str, str]:
    metadata = manifest.get("metadata") or {}
    return str(manifest.get("kind")), str(metadata.get("namespace") or ""), str(metadata.get("name"))
