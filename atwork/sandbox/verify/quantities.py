"""Amounts of CPU, memory and disk: parsed, added up for a pod, completed with the defaults of LimitRanges.

The official client's parser (`kubernetes.utils.quantity`) takes half a second to import, which is a tenth of what
`atwork sandbox verify` may take.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, Literal

Amounts = dict[str, float]
"""Cores, bytes or a number, by the name of the resource."""

_SUFFIXES = {
    **{f"{prefix}i": 2.0 ** (10 * power) for power, prefix in enumerate("KMGTPE", 1)},
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    **{prefix: 1e3**power for power, prefix in enumerate("kMGTPE", 1)},
}


def parse(quantity: str | float) -> float:
    """A quantity in cores, bytes or whatever it counts.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity
    """
    text = str(quantity).strip()
    for suffix, factor in _SUFFIXES.items():
        if text.endswith(suffix):
            return float(text.removesuffix(suffix)) * factor
    return float(text)


def shown(resource: str, amount: float) -> str:
    """An amount in messages: cores, GiB or a number."""
    if resource.endswith(("memory", "ephemeral-storage", "storage")):
        return f"{amount / 2**30:.4g}Gi"
    return f"{amount:.4g}"


def of_container(container: Mapping[str, Any], kind: Literal["requests", "limits"]) -> Amounts:
    """Requests or limits of one container."""
    amounts = ((container.get("resources") or {}).get(kind) or {}).items()
    return {name: parse(amount) for name, amount in amounts}


def of_pod(spec: Mapping[str, Any], kind: Literal["requests", "limits"]) -> Amounts:
    """What the scheduler and a quota count for a pod: the larger of its start and of its run, per resource.

    https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
    """
    sidecars: Amounts = {}
    starting: Amounts = {}
    for container in spec.get("initContainers") or ():
        amounts = total([sidecars, of_container(container, kind)])
        if container.get("restartPolicy") == "Always":
            sidecars = amounts
        starting = larger(starting, amounts)
    running = total([sidecars, *(of_container(container, kind) for container in spec.get("containers") or ())])
    overhead = {name: parse(amount) for name, amount in (spec.get("overhead") or {}).items()}
    return total([larger(starting, running), overhead])


def total(amounts: Iterable[Amounts]) -> Amounts:
    """The sum of all."""
    result: Amounts = {}
    for addend in amounts:
        for name, amount in addend.items():
            result[name] = result.get(name, 0.0) + amount
    return result


def larger(first: Amounts, second: Amounts) -> Amounts:
    """The larger of two, per resource."""
    return {name: max(first.get(name, 0.0), second.get(name, 0.0)) for name in first | second}


def defaulted(spec: Mapping[str, Any], limit_ranges: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The pod after admission: a limit without a request becomes the request, then LimitRanges add their defaults.

    https://kubernetes.io/docs/concepts/policy/limit-range
    """
    result = deepcopy(dict(spec))
    items = [
        item
        for limit_range in limit_ranges
        for item in limit_range["spec"].get("limits") or ()
        if item["type"] == "Container"
    ]
    for container in [*(result.get("initContainers") or ()), *(result.get("containers") or ())]:
        resources = container["resources"] = dict(container.get("resources") or {})
        limits = resources["limits"] = dict(resources.get("limits") or {})
        requests = resources["requests"] = {**limits, **(resources.get("requests") or {})}
        for item in items:
            default = item.get("default") or {}
            for name, amount in {**default, **(item.get("defaultRequest") or {})}.items():
                requests.setdefault(name, amount)
            for name, amount in default.items():
                limits.setdefault(name, amount)
    return result
