"""The size of the node that runs pods: that of all node pools whose nodes take such pods, at their maximum.

GKE's autoscaler adds nodes up to the maximum of a pool; here, one node stands for all of them. The gate of the sandbox
decides whether a pod fits on one machine of a pool (atwork/sandbox/verify/gate.py). Limits of pods are real, and so is
the memory of this machine: when it runs out, the kubelet evicts pods.

The kubelet reports the size of the machine. An admission policy replaces it, so that the scheduler and the kubelet see
the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.credentials import NODE
from atwork.sandbox.clusters.node.mutations import MutatingPolicy
from atwork.sandbox.clusters.node_pools import Pool

_NAME = "sandbox-node-size"
_UNITS = {"cpu": "m", "memory": "Mi", "ephemeral-storage": "Mi"}
"""Of the amounts of `machines.allocatable`."""


def of_pools(pools: Iterable[Pool]) -> dict[str, str]:
    """What pods without tolerations and selectors can request from these pools, as quantities of Kubernetes."""
    taking = [pool for pool in pools if pool.suits({"spec": {}})]
    return {
        name: f"{sum(int(pool.allocatable()[name].removesuffix(unit)) * pool.most for pool in taking)}{unit}"
        for name, unit in _UNITS.items()
    }


def resize(api: Api, pools: Iterable[Pool]) -> None:
    """Give the node of a cluster, if it has one, the size of these pools."""
    node = api.get(api.place("v1", "Node"), "", NODE)
    amounts = of_pools(pools)
    if node is None or all(amount.startswith("0") for amount in amounts.values()):
        return
    if (node["metadata"].get("annotations") or {}).get(_NAME) == _state(amounts, node):
        return
    MutatingPolicy(
        _NAME,
        "UPDATE",
        "nodes/status",
        conditions={
            "node": f"object.metadata.name == '{NODE}'",
            "size": "has(object.status.allocatable) && has(object.status.capacity)",
        },
        patches=[
            f"JSONPatch{{op: 'add', path: '/status/{part}/{name}', value: '{amount}'}}"
            for part in ("allocatable", "capacity")
            for name, amount in amounts.items()
        ],
    ).install(api)
    path = f"/api/v1/nodes/{NODE}"
    resized = api.merge(f"{path}/status", {"status": {"allocatable": amounts, "capacity": amounts}})
    # The kubelet may report once more before the policy is in force: then this is done again.
    api.merge(path, {"metadata": {"annotations": {_NAME: _state(amounts, resized)}}})


def _state(amounts: Mapping[str, str], node: Mapping[str, Any]) -> str:
    """Amounts, and how the API server writes them."""
    shown = node["status"].get("allocatable") or {}
    return " ".join(f"{name}={amount}={shown.get(name, '')}" for name, amount in amounts.items())
