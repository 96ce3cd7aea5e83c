"""The controllers that GKE runs in addition to Kubernetes, simulated: nodes of node pools, disks, load balancers.

A thread of the running command looks at the clusters at intervals (`GkeControllers`). Between commands, nodes and disks
do not change.
"""

from __future__ import annotations

import ipaddress
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from atwork.sandbox.clusters.api import Api, ApiError
from atwork.sandbox.clusters.gke_addons import DISK_DRIVER, FIELD_MANAGER
from atwork.sandbox.clusters.node import capacity
from atwork.sandbox.clusters.node_pools import POOL_LABEL, Pool

log = logging.getLogger("atwork.sandbox.provider")
_INTERVAL_SECONDS = 1.0


class GkeControllers:
    """A thread that runs the controllers of GKE in all clusters until it is stopped."""

    def __init__(self, clusters: Callable[[], Iterable[tuple[Api, Mapping[str, Pool]]]]) -> None:
        self._clusters = clusters
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gke", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for it."""
        self._stopped.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        while not self._stopped.wait(_INTERVAL_SECONDS):
            for api, pools in self._clusters():
                try:
                    reconcile(api, pools)
                except (ApiError, KeyError) as error:
                    log.info("gke in %s: %s", api.server, error)


def reconcile(api: Api, pools: Mapping[str, Pool]) -> None:
    """Run all controllers once in a cluster."""
    _scale(api, pools)
    capacity.resize(api, pools.values())
    _provision_disks(api)
    _assign_addresses(api)


def _scale(api: Api, pools: Mapping[str, Pool]) -> None:
    """Delete the nodes of deleted pools; give each pool its minimum, and a node more while a pod is unschedulable."""
    nodes = api.place("v1", "Node")
    existing: dict[str, list[str]] = {}
    for node in api.all(nodes.path(), labelSelector=POOL_LABEL):
        existing.setdefault(node["metadata"]["labels"][POOL_LABEL], []).append(node["metadata"]["name"])
    for name in set(existing) - set(pools):
        for node in existing[name]:
            api.delete(nodes, "", node, propagation="Background")
    waiting = _unschedulable(api)
    for name, pool in pools.items():
        have = existing.get(name, [])
        more = 1 if any(pool.suits(pod) for pod in waiting) else 0
        wanted = max(pool.least, min(pool.most, len(have) + more))
        for number in range(pool.most):
            if len(have) >= wanted:
                break
            body = pool.node(number)
            if body["metadata"]["name"] not in have:
                status = body.pop("status")
                api.create(nodes, body, manager=FIELD_MANAGER)
                api.merge(f"{nodes.path(name=body['metadata']['name'])}/status", {"status": status})
                have = [*have, body["metadata"]["name"]]


def _unschedulable(api: Api) -> list[dict[str, Any]]:
    pending = api.all("/api/v1/pods", fieldSelector="status.phase=Pending,spec.nodeName=")
    return [
        pod
        for pod in pending
        if any(
            condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable"
            for condition in (pod.get("status") or {}).get("conditions") or ()
        )
    ]


def _provision_disks(api: Api) -> None:
    """Create a disk for each claim whose pod is scheduled, bound to the claim; delete released disks."""
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
            "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": DISK_DRIVER}},
            "spec": {
                "capacity": {"storage": spec["resources"]["requests"]["storage"]},
                "accessModes": spec["accessModes"],
                "storageClassName": spec.get("storageClassName", ""),
                "persistentVolumeReclaimPolicy": "Delete",
                "csi": {"driver": DISK_DRIVER, "volumeHandle": f"projects/sandbox/zones/none/disks/{name}"},
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
            api.create(volumes, body, manager=FIELD_MANAGER)
    for volume in api.all(volumes.path()):
        by = (volume["metadata"].get("annotations") or {}).get("pv.kubernetes.io/provisioned-by")
        if by == DISK_DRIVER and (volume.get("status") or {}).get("phase") == "Released":
            api.delete(volumes, "", volume["metadata"]["name"], propagation="Background")


def _assign_addresses(api: Api) -> None:
    """Assign an address to each Service of the type LoadBalancer."""
    for service in api.all("/api/v1/services"):
        status = (service.get("status") or {}).get("loadBalancer") or {}
        if service["spec"].get("type") == "LoadBalancer" and not status.get("ingress"):
            metadata = service["metadata"]
            address = ipaddress.IPv4Address("203.0.113.0") + 1 + int(metadata["uid"][:8], 16) % 254
            path = f"/api/v1/namespaces/{metadata['namespace']}/services/{metadata['name']}/status"
            api.merge(path, {"status": {"loadBalancer": {"ingress": [{"ip": str(address)}]}}})
