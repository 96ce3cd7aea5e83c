"""Node pools of a GKE cluster, their nodes, and which pods may run on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from atwork.sandbox.clusters.machines import allocatable, capacity
from atwork.sandbox.selectors import selects
from components.gpu import TAINT

POOL_LABEL = "cloud.google.com/gke-nodepool"
GVISOR = "sandbox.gke.io/runtime"
SIMULATED = {"kwok.x-k8s.io/node": "fake"}
"""Annotation of the nodes that kwok plays."""

_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "PREFER_NO_SCHEDULE": "PreferNoSchedule", "NO_EXECUTE": "NoExecute"}


@dataclass(frozen=True)
class Pool:
    """A node pool."""

    name: str
    machine_type: str
    zones: tuple[str, ...]
    least: int
    """Minimum number of nodes in all zones."""
    most: int
    """Maximum number of nodes in all zones."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    taints: tuple[Mapping[str, str], ...] = ()
    spot: bool = False
    disk_gb: int = 100
    gvisor: bool = False
    gpu: str = ""
    """Type of the GPUs; "" if there are none."""
    gpus: int = 0
    """GPUs of a node, or containers that can share them."""

    @classmethod
    def of(cls, inputs: Mapping[str, Any], location: str) -> Pool:
        """The pool from the inputs of a gcp NodePool."""
        node = inputs.get("nodeConfig") or {}
        scaling = inputs.get("autoscaling") or {}
        zones = tuple(inputs.get("nodeLocations") or ()) or _zones(location)
        count = int(inputs.get("nodeCount") or inputs.get("initialNodeCount") or 0) * len(zones)
        least = int(scaling.get("totalMinNodeCount") or int(scaling.get("minNodeCount") or 0) * len(zones) or count)
        most = int(scaling.get("totalMaxNodeCount") or int(scaling.get("maxNodeCount") or 0) * len(zones) or count)
        taints = tuple(
            {"key": taint["key"], "value": taint["value"], "effect": _EFFECTS[taint["effect"]]}
            for taint in node.get("taints") or ()
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
            *_gpus(node.get("guestAccelerators") or ()),
        )

    def allocatable(self) -> dict[str, str]:
        """What pods can request from a node."""
        return {**allocatable(self.machine_type, self.disk_gb), **self._shown_gpus()}

    def _shown_gpus(self) -> dict[str, str]:
        return {TAINT: str(self.gpus)} if self.gpu else {}

    def node(self, number: int) -> dict[str, Any]:
        """The Node object of a machine; machines are spread over the zones in turn."""
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
            **({"cloud.google.com/gke-accelerator": self.gpu} if self.gpu else {}),
        }
        name = f"gke-{self.name}-{number}"
        labels["kubernetes.io/hostname"] = name
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels, "annotations": dict(SIMULATED)},
            "spec": {"taints": [dict(taint) for taint in self.all_taints()]},
            "status": {
                "capacity": {**capacity(self.machine_type, self.disk_gb), **self._shown_gpus()},
                "allocatable": self.allocatable(),
            },
        }

    def all_taints(self) -> tuple[Mapping[str, str], ...]:
        """The taints of the pool and those that GKE sets on nodes with gVisor and on nodes with GPUs.

        https://cloud.google.com/kubernetes-engine/docs/how-to/sandbox-pods
        https://cloud.google.com/kubernetes-engine/docs/how-to/gpus
        """
        own = [{"key": GVISOR, "value": "gvisor", "effect": "NoSchedule"}] if self.gvisor else []
        own += [{"key": TAINT, "value": "present", "effect": "NoSchedule"}] if self.gpu else []
        return (*self.taints, *own)

    def suits(self, pod: Mapping[str, Any]) -> bool:
        """Whether a node of this pool may run a pod: see `refusal`."""
        return not self.refusal(pod["spec"])

    def refusal(self, spec: Mapping[str, Any]) -> str:
        """Why no node of this pool runs a pod with a spec, independent of free resources; "" if it may."""
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
        # GKE adds these tolerations to pods that ask for what the nodes have.
        given = ({GVISOR} if wants_gvisor else set()) | ({TAINT} if _requests_gpu(spec) else set())
        for taint in self.all_taints():
            admitted = any(_tolerates(item, taint) for item in spec.get("tolerations") or ())
            if taint["effect"] != "PreferNoSchedule" and not (admitted or taint["key"] in given):
                return f"its taint {taint['key']}={taint['value']}:{taint['effect']} is not tolerated"
        return ""


def pools_of(nodes: Iterable[tuple[Mapping[str, Any], str]]) -> Iterator[tuple[str, Pool]]:
    """Pools by name, from inputs of NodePools and the locations of their clusters."""
    for inputs, location in nodes:
        pool = Pool.of(inputs, location)
        yield pool.name, pool


def _gpus(accelerators: Iterable[Mapping[str, Any]]) -> tuple[str, int]:
    """Type and number of a node's GPUs, as pods see them: shared ones count once for each container."""
    for accelerator in accelerators:
        clients = int((accelerator.get("gpuSharingConfig") or {}).get("maxSharedClientsPerGpu") or 1)
        return str(accelerator["type"]), int(accelerator["count"]) * clients
    return "", 0


def _requests_gpu(spec: Mapping[str, Any]) -> bool:
    resources = (container.get("resources") or {} for container in spec.get("containers") or ())
    return any(TAINT in (part.get("limits") or {}) or TAINT in (part.get("requests") or {}) for part in resources)


def _zones(location: str) -> tuple[str, ...]:
    """The zone of a zonal cluster, or three zones of a region."""
    if location.count("-") > 1:
        return (location,)
    return tuple(f"{location}-{letter}" for letter in "bcd")


def _required(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The terms of a pod's node affinity; a node must match at least one of them."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    return (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or []


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, str]) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return toleration.get("key") == taint["key"] and toleration.get("value", "") == taint["value"]
