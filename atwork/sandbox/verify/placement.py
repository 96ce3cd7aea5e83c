"""Placement of pods: whether a node pool or auto-provisioning has a node for each pod, and for all at their maximum."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from atwork.sandbox.clusters.machines import allocatable
from atwork.sandbox.clusters.node_pools import Pool
from atwork.sandbox.verify.environments import EnvironmentObjects
from atwork.sandbox.verify.jenkins import BUILDS
from atwork.sandbox.verify.model import Pod, PodFinding
from atwork.sandbox.verify.quantities import Amounts, of_pod, parse, shown
from components.type_tokens import NODE_POOL

_GKE_LABELS = ("cloud.google.com/", "topology.", "kubernetes.io/")

_LARGEST_ADDED = "n2-standard-32"
"""A machine that auto-provisioning may choose: a size of the default family that no pod of the platform exceeds."""


def pools(here: EnvironmentObjects) -> list[Pool]:
    """The node pools of an environment; a pool with an automatic name has the name in its id."""
    location = str(here.cluster["id"]).split("/")[3]
    return [Pool.of({"name": str(pool["id"]).rpartition("/")[2], **pool}, location) for pool in here.all(NODE_POOL)]


def check(pod: Pod, here: EnvironmentObjects) -> Iterator[PodFinding]:
    """A finding if no node takes the pod, with the reason of each pool."""
    candidates = pools(here)
    if _first(pod, candidates) is not None or _added(pod, here):
        return
    reasons = "; ".join(f"{pool.name}: {_refusal(pod, pool)}" for pool in candidates)
    yield pod.finding(
        "placement",
        f"no node takes it ({reasons})",
        "the pod stays Pending",
        "correct node_pools of the stack, or the pod's selector, tolerations and requests",
        "FailedScheduling",
    )


def check_together(all_pods: Iterable[Pod], here: EnvironmentObjects) -> Iterator[PodFinding]:
    """A finding for each pool whose maximum of nodes is too small for all its pods at their maximum.

    A group of alternatives counts with its largest pod. A cluster with auto-provisioning grows beyond its pools.
    """
    if (here.cluster.get("clusterAutoscaling") or {}).get("enabled"):
        return
    by_name = {pool.name: pool for pool in pools(here)}
    running: dict[str, list[Pod]] = defaultdict(list)
    for pod in all_pods:
        first = _first(pod, by_name.values())
        if first is not None:
            running[first.name].append(pod)
    for name, pods in running.items():
        pool = by_name[name]
        nodes = _nodes(pods, pool)
        if nodes > pool.most:
            largest = max(pods, key=lambda pod: pod.most / _per_node(pod, pool))
            alone = _nodes([largest], pool)
            yield largest.finding(
                "placement",
                f"all pods at their maximum need {nodes} nodes of {name}, which has {pool.most}; "
                f"{largest.most} of this kind need {alone}",
                "pods stay Pending when all run at once",
                f"raise max_nodes of the pool to {nodes}, or lower how many run at one time",
                "FailedScheduling",
            )


def _nodes(pods: Iterable[Pod], pool: Pool) -> int:
    """Nodes for all pods at their maximum: the largest pod of each group, and the largest turn of each namespace."""
    groups: dict[tuple[str, str, str], float] = {}
    for pod in pods:
        # The namespaces of Jenkins' builders share a limit; all other groups are in a single namespace.
        namespace = "" if pod.group == BUILDS else pod.namespace
        key = (namespace, pod.turn, pod.group)
        groups[key] = max(groups.get(key, 0.0), pod.most / _per_node(pod, pool))
    turns: dict[tuple[str, str], float] = defaultdict(float)
    for (namespace, turn, _), nodes in groups.items():
        turns[namespace, turn] += nodes
    namespaces: dict[str, float] = {}
    for (namespace, _), nodes in turns.items():
        namespaces[namespace] = max(namespaces.get(namespace, 0.0), nodes)
    return math.ceil(round(sum(namespaces.values()), 6))


def _first(pod: Pod, candidates: Iterable[Pool]) -> Pool | None:
    return next((pool for pool in candidates if not _refusal(pod, pool)), None)


def _refusal(pod: Pod, pool: Pool) -> str:
    if refusal := pool.refusal(pod.spec):
        return refusal
    if pool.most == 0:
        return "it has no nodes"
    return _short(of_pod(pod.spec, "requests"), pool.allocatable())


def _short(requests: Amounts, available: Mapping[str, str]) -> str:
    """The resource that a node has too little of; "" if it has enough."""
    for name, amount in available.items():
        if requests.get(name, 0.0) > parse(amount):
            return f"{shown(name, requests[name])} of {name} is more than the {shown(name, parse(amount))} of one node"
    return ""


def _added(pod: Pod, here: EnvironmentObjects) -> bool:
    """Whether GKE adds a node: for labels of GKE, and for other labels if the pod tolerates the same taint.

    https://cloud.google.com/kubernetes-engine/docs/how-to/workload-separation#node-auto-provisioning
    """
    scaling = here.cluster.get("clusterAutoscaling") or {}
    if not scaling.get("enabled") or pod.spec.get("runtimeClassName") == "gvisor":
        return False
    tolerated = {(item.get("key"), item.get("value")) for item in pod.spec.get("tolerations") or ()}
    selector: Mapping[str, str] = pod.spec.get("nodeSelector") or {}
    known = all(key.startswith(_GKE_LABELS) or (key, value) in tolerated for key, value in selector.items())
    limits = {item["resourceType"]: float(item["maximum"]) for item in scaling.get("resourceLimits") or ()}
    requests = of_pod(pod.spec, "requests")
    fits = requests.get("cpu", 0.0) <= limits.get("cpu", 0.0)
    fits = fits and requests.get("memory", 0.0) <= limits.get("memory", 0.0) * 1e9
    disk = int((scaling.get("autoProvisioningDefaults") or {}).get("diskSize") or 100)
    return known and fits and not _short(requests, allocatable(_LARGEST_ADDED, disk))


def _per_node(pod: Pod, pool: Pool) -> int:
    """Number of such pods that a node holds."""
    requests = {**of_pod(pod.spec, "requests"), "pods": 1.0}
    available = pool.allocatable()
    return min(int(parse(available[name]) // requests[name]) for name in available if requests.get(name))
