"""What GKE does beside Kubernetes, played: its kinds and storage classes, nodes of node pools, disks, load balancers.

Nothing of it runs by itself: a thread of the command that is at work looks again and again what is to be done
(`Playing`). Between commands nodes and disks stay as they are.
"""

from __future__ import annotations

import ipaddress
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from atwork.sandbox.clusters.api import Api, ApiError
from atwork.sandbox.clusters.machines import allocatable, capacity
from atwork.sandbox.selectors import selects
from components import system_namespaces

log = logging.getLogger("atwork.sandbox.provider")

MANAGER = "gke"
POOL_LABEL = "cloud.google.com/gke-nodepool"
GVISOR = "sandbox.gke.io/runtime"
_DISK_DRIVER = "pd.csi.storage.gke.io"
_LOOK_SECONDS = 1.0
_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "PREFER_NO_SCHEDULE": "PreferNoSchedule", "NO_EXECUTE": "NoExecute"}

# Kinds that GKE's add-ons bring. Their schemas are Google's; here any content is taken.
_KINDS = {
    "gateway.networking.k8s.io": (("v1", "Gateway", "gateways"), ("v1", "HTTPRoute", "httproutes")),
    "networking.gke.io": (
        ("v1", "GCPBackendPolicy", "gcpbackendpolicies"),
        ("v1", "HealthCheckPolicy", "healthcheckpolicies"),
    ),
    "monitoring.googleapis.com": (("v1", "PodMonitoring", "podmonitorings"), ("v1", "Rules", "rules")),
    "secrets-store.csi.x-k8s.io": (("v1", "SecretProviderClass", "secretproviderclasses"),),
}
_STORAGE_CLASSES = {"standard-rwo": ("pd-balanced", True), "premium-rwo": ("pd-ssd", False)}


@dataclass(frozen=True)
class Pool:
    """A node pool as its cluster sees it."""

    name: str
    machine_type: str
    zones: tuple[str, ...]
    least: int
    """Nodes that are always there, over all zones."""
    most: int
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    taints: tuple[Mapping[str, str], ...] = ()
    spot: bool = False
    disk_gb: int = 100
    gvisor: bool = False

    @classmethod
    def of(cls, inputs: Mapping[str, Any], location: str) -> Pool:
        """From the inputs of a gcp NodePool."""
        node = inputs.get("nodeConfig") or {}
        scaling = inputs.get("autoscaling") or {}
        zones = tuple(inputs.get("nodeLocations") or ()) or _zones(location)
        count = int(inputs.get("nodeCount") or inputs.get("initialNodeCount") or 0) * len(zones)
        least = int(scaling.get("totalMinNodeCount") or int(scaling.get("minNodeCount") or 0) * len(zones) or count)
        most = int(scaling.get("totalMaxNodeCount") or int(scaling.get("maxNodeCount") or 0) * len(zones) or count)
        taints = tuple(
            {"key": one["key"], "value": one["value"], "effect": _EFFECTS[one["effect"]]}
            for one in node.get("taints") or ()
        )
        return cls(
            str(inputs["name"]),
            str(node.get("machineType") or "e2-medium"),
            zones,
            least,
            max(least, most),
            dict(node.get("labels") or {}),
            taints,
            bool(node.get("spot")),
            int(node.get("diskSizeGb") or 100),
            (node.get("sandboxConfig") or {}).get("type") == "GVISOR",
        )

    def allocatable(self) -> dict[str, str]:
        """What pods can ask of one node."""
        return allocatable(self.machine_type, self.disk_gb)

    def node(self, number: int) -> dict[str, Any]:
        """The Node object of one machine; zones are filled in turn."""
        zone = self.zones[number % len(self.zones)]
        labels = {
            **self.labels,
            POOL_LABEL: self.name,
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/os": "linux",
            "node.kubernetes.io/instance-type": self.machine_type,
            "topology.kubernetes.io/region": zone.rpartition("-")[0],
            "topology.kubernetes.io/zone": zone,
            "topology.gke.io/zone": zone,
            "iam.gke.io/gke-metadata-server-enabled": "true",
            **({"cloud.google.com/gke-spot": "true"} if self.spot else {}),
            **({GVISOR: "gvisor"} if self.gvisor else {}),
        }
        name = f"gke-{self.name}-{number}"
        labels["kubernetes.io/hostname"] = name
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
            "spec": {"taints": [dict(one) for one in self.all_taints()]},
            "status": {
                "capacity": capacity(self.machine_type, self.disk_gb),
                "allocatable": self.allocatable(),
            },
        }

    def all_taints(self) -> tuple[Mapping[str, str], ...]:
        """Its own taints and the one that GKE sets on nodes with gVisor.

        https://cloud.google.com/kubernetes-engine/docs/how-to/sandbox-pods
        """
        gvisor = {"key": GVISOR, "value": "gvisor", "effect": "NoSchedule"}
        return (*self.taints, gvisor) if self.gvisor else self.taints

    def suits(self, pod: Mapping[str, Any]) -> bool:
        """Whether a node of this pool could be meant for a pod: see `refusal`."""
        return not self.refusal(pod["spec"])

    def refusal(self, spec: Mapping[str, Any]) -> str:
        """Why no pod of that spec runs on a node of this pool, whatever is free; "" where one may."""
        labels = self.node(0)["metadata"]["labels"]
        wants_gvisor = spec.get("runtimeClassName") == "gvisor"
        if wants_gvisor and not self.gvisor:
            return "it has no gVisor"
        for key, value in (spec.get("nodeSelector") or {}).items():
            if labels.get(key) != value:
                return f"its label {key} is {labels.get(key, 'not set')} and not {value}"
        terms = _required(spec)
        if terms and not any(selects(term, labels) for term in terms):
            return "its labels are not those of the pod's node affinity"
        for taint in self.all_taints():
            admitted = any(_tolerates(one, taint) for one in spec.get("tolerations") or ())
            if taint["effect"] != "PreferNoSchedule" and not (admitted or (wants_gvisor and taint["key"] == GVISOR)):
                return f"its taint {taint['key']}={taint['value']}:{taint['effect']} is not tolerated"
        return ""


def create_system_namespaces(api: Api) -> None:
    """Create the namespaces that a cluster of GKE has from the start."""
    namespaces = api.place("v1", "Namespace")
    for name in system_namespaces.NAMES:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        api.apply(namespaces, body, manager=MANAGER, force=True)


def furnish(api: Api) -> None:
    """Give a cluster the kinds and storage classes of GKE that the program uses."""
    definitions = api.place("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    for group, kinds in _KINDS.items():
        for version, kind, plural in kinds:
            api.apply(definitions, _definition(group, version, kind, plural), manager=MANAGER, force=True)
    classes = api.place("storage.k8s.io/v1", "StorageClass")
    for name, (disk, default) in _STORAGE_CLASSES.items():
        annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
        body = {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name, "annotations": annotations},
            "provisioner": _DISK_DRIVER,
            "parameters": {"type": disk},
            "volumeBindingMode": "WaitForFirstConsumer",
            "allowVolumeExpansion": True,
        }
        api.apply(classes, body, manager=MANAGER, force=True)


class Playing:
    """The thread that plays GKE in all clusters, until it is stopped."""

    def __init__(self, clusters: Callable[[], Iterable[tuple[Api, Mapping[str, Pool]]]]) -> None:
        self._clusters = clusters
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._play, name="gke", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for what is under way."""
        self._stopped.set()
        self._thread.join(timeout=30)

    def _play(self) -> None:
        while not self._stopped.wait(_LOOK_SECONDS):
            for api, pools in self._clusters():
                try:
                    once(api, pools)
                except (ApiError, KeyError) as error:
                    log.info("gke in %s: %s", api.server, error)


def once(api: Api, pools: Mapping[str, Pool]) -> None:
    """Do what is to be done in one cluster now."""
    _scale(api, pools)
    _make_disks(api)
    _balance(api)


def _scale(api: Api, pools: Mapping[str, Pool]) -> None:
    """Nodes of pools that are gone go; each pool has its least, and one more while a pod finds no place."""
    nodes = api.place("v1", "Node")
    there: dict[str, list[str]] = {}
    for one in api.all(nodes.path(), labelSelector=POOL_LABEL):
        there.setdefault(one["metadata"]["labels"][POOL_LABEL], []).append(one["metadata"]["name"])
    for name in set(there) - set(pools):
        for node in there[name]:
            api.delete(nodes, "", node, propagation="Background")
    waiting = _unplaced(api)
    for name, pool in pools.items():
        have = there.get(name, [])
        more = 1 if any(pool.suits(pod) for pod in waiting) else 0
        wanted = max(pool.least, min(pool.most, len(have) + more))
        for number in range(pool.most):
            if len(have) >= wanted:
                break
            body = pool.node(number)
            if body["metadata"]["name"] not in have:
                status = body.pop("status")
                api.create(nodes, body, manager=MANAGER)
                api.merge(f"{nodes.path(name=body['metadata']['name'])}/status", {"status": status})
                have = [*have, body["metadata"]["name"]]


def _unplaced(api: Api) -> list[dict[str, Any]]:
    found = api.all("/api/v1/pods", fieldSelector="status.phase=Pending,spec.nodeName=")
    return [
        pod
        for pod in found
        if any(
            one.get("type") == "PodScheduled" and one.get("reason") == "Unschedulable"
            for one in (pod.get("status") or {}).get("conditions") or ()
        )
    ]


def _make_disks(api: Api) -> None:
    """A disk for each claim whose pod has been placed, bound to it beforehand."""
    chosen = "volume.kubernetes.io/selected-node"
    volumes = api.place("v1", "PersistentVolume")
    for claim in api.all("/api/v1/persistentvolumeclaims"):
        metadata, spec = claim["metadata"], claim["spec"]
        placed = (metadata.get("annotations") or {}).get(chosen)
        if (claim.get("status") or {}).get("phase") != "Pending" or spec.get("volumeName") or not placed:
            continue
        name = f"pvc-{metadata['uid']}"
        body = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": _DISK_DRIVER}},
            "spec": {
                "capacity": {"storage": spec["resources"]["requests"]["storage"]},
                "accessModes": spec["accessModes"],
                "storageClassName": spec.get("storageClassName", ""),
                "persistentVolumeReclaimPolicy": "Delete",
                "csi": {"driver": _DISK_DRIVER, "volumeHandle": f"projects/sandbox/zones/none/disks/{name}"},
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "name": metadata["name"],
                    "namespace": metadata["namespace"],
                    "uid": metadata["uid"],
                },
            },
        }
        if api.get(volumes, "", name) is None:
            api.create(volumes, body, manager=MANAGER)
    for volume in api.all(volumes.path()):
        by = (volume["metadata"].get("annotations") or {}).get("pv.kubernetes.io/provisioned-by")
        if by == _DISK_DRIVER and (volume.get("status") or {}).get("phase") == "Released":
            api.delete(volumes, "", volume["metadata"]["name"], propagation="Background")


def _balance(api: Api) -> None:
    """An address for each Service that asks for a load balancer."""
    for service in api.all("/api/v1/services"):
        status = (service.get("status") or {}).get("loadBalancer") or {}
        if service["spec"].get("type") == "LoadBalancer" and not status.get("ingress"):
            metadata = service["metadata"]
            address = ipaddress.IPv4Address("203.0.113.0") + 1 + int(metadata["uid"][:8], 16) % 254
            path = f"/api/v1/namespaces/{metadata['namespace']}/services/{metadata['name']}/status"
            api.merge(path, {"status": {"loadBalancer": {"ingress": [{"ip": str(address)}]}}})


def _zones(location: str) -> tuple[str, ...]:
    """A zonal cluster's zone, or the three zones that a region is taken to have."""
    if location.count("-") > 1:
        return (location,)
    return tuple(f"{location}-{letter}" for letter in "bcd")


def _required(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The terms of a pod's node affinity of which one must hold."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    return (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or []


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, str]) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return toleration.get("key") == taint["key"] and toleration.get("value", "") == taint["value"]


def _definition(group: str, version: str, kind: str, plural: str) -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            # Groups below k8s.io are kept for Kubernetes' own; this is how their definitions say that they may.
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
                    "subresources": {"status": {}},
                }
            ],
        },
    }


def pools_of(nodes: Iterable[tuple[Mapping[str, Any], str]]) -> Iterator[tuple[str, Pool]]:
    """Pools by name, from inputs of NodePools and their clusters' locations."""
    for inputs, location in nodes:
        pool = Pool.of(inputs, location)
        yield pool.name, pool
