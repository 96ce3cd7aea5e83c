"""The environments as the simulated clouds hold them: objects by kind, and the few facts that the checks need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from atwork.engine.urn import stack_of
from atwork.sandbox.cloud import CloudObject
from atwork.sandbox.provider.values import reveal
from components.system_namespaces import is_system

Object = Mapping[str, Any]
"""Inputs of a resource; for Kubernetes the object itself, with the names of its API."""

CLUSTER = "gcp:container/cluster:Cluster"
NODE_POOL = "gcp:container/nodePool:NodePool"
REPOSITORY = "gcp:artifactregistry/repository:Repository"
POLICY = "gcp:binaryauthorization/policy:Policy"
SECRET = "gcp:secretmanager/secret:Secret"  # noqa: S105 - the name of a type
SECRET_VERSION = "gcp:secretmanager/secretVersion:SecretVersion"  # noqa: S105 - the name of a type
ACCOUNT = "gcp:serviceaccount/account:Account"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
NAT = "gcp:compute/routerNat:RouterNat"
RELEASE = "kubernetes:helm.sh/v3:Release"


@dataclass(frozen=True)
class Environment:
    """One environment: Google's resources by type, Kubernetes objects by kind, namespace and name."""

    name: str
    google: Mapping[str, list[Object]]
    """Inputs with the outputs beneath them, by type."""
    kubernetes: Mapping[tuple[str, str, str], Object]

    def all(self, token: str) -> list[Object]:
        """Resources of one type."""
        return list(self.google.get(token, ()))

    def one(self, token: str) -> Object:
        """The only resource of a type; empty where there is none."""
        return next(iter(self.google.get(token, ())), {})

    @property
    def cluster(self) -> Object:
        """Its GKE cluster."""
        return self.one(CLUSTER)

    @property
    def project(self) -> str:
        """The project of its cluster, by the cluster's id `projects/P/locations/L/clusters/C`."""
        return str(self.cluster["id"]).split("/")[1]

    def kind(self, kind: str, namespace: str | None = None) -> list[Object]:
        """Kubernetes objects of a kind, of one namespace where that is given."""
        return [
            found
            for (one, where, _), found in self.kubernetes.items()
            if one == kind and (namespace is None or where == namespace)
        ]

    def has(self, kind: str, namespace: str, name: str) -> bool:
        """Whether a Kubernetes object is there."""
        return (kind, namespace, name) in self.kubernetes

    def labels_of(self, namespace: str) -> Mapping[str, str] | None:
        """Labels of a namespace; None where there is none."""
        found = self.kubernetes.get(("Namespace", "", namespace))
        if found is None and not is_system(namespace):
            return None
        labels = (found or {}).get("metadata", {}).get("labels") or {}
        return {**labels, "kubernetes.io/metadata.name": namespace}

    def namespaces(self) -> list[str]:
        """Namespaces that the program made."""
        return [name for kind, _, name in self.kubernetes if kind == "Namespace"]

    def with_objects(self, objects: Iterable[Object]) -> Environment:
        """The environment with Kubernetes objects that a chart brings."""
        return Environment(self.name, self.google, {**self.kubernetes, **{_key(one): one for one in objects}})


def environments(objects: Iterable[CloudObject]) -> dict[str, Environment]:
    """The environments that have a cluster, by stack."""
    google: dict[str, dict[str, list[Object]]] = defaultdict(lambda: defaultdict(list))
    kubernetes: dict[str, dict[tuple[str, str, str], Object]] = defaultdict(dict)
    unowned: dict[str, list[Object]] = defaultdict(list)
    for one in objects:
        stack = stack_of(one.urn)
        if not one.type.startswith("kubernetes:"):
            resource = {**reveal(one.outputs), **reveal(one.inputs), "id": one.id}
            (google[stack] if stack else unowned)[one.type].append(resource)
        elif stack and one.type != RELEASE and not one.type.endswith("Patch"):
            found = reveal(one.inputs)
            kubernetes[stack][_key(found)] = found
        elif stack and one.type == RELEASE:
            google[stack][RELEASE].append(reveal(one.inputs))
    # Secrets and their versions are also made beside Pulumi; their ids say whose they are.
    for found in google.values():
        for token in (SECRET, SECRET_VERSION):
            found[token] += unowned.get(token, [])
    return {
        name: Environment(name, found, kubernetes[name]) for name, found in google.items() if name and CLUSTER in found
    }


def _key(found: Object) -> tuple[str, str, str]:
    metadata = found.get("metadata") or {}
    return str(found.get("kind")), str(metadata.get("namespace") or ""), str(metadata.get("name"))
