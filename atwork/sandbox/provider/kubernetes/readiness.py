"""Readiness of objects, for the kinds that the official provider waits for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

KubernetesObject = Mapping[str, Any]
_NOT_OBSERVED = "the controllers have not seen it yet"


def problem(live: KubernetesObject) -> str:
    """Why an object is not ready; "" if it is ready or if its kind has no readiness."""
    check = _CHECKS.get(f"{live['apiVersion'].partition('/')[0]}/{live['kind']}")
    return check(live) if check is not None else ""


def _deployment(live: KubernetesObject) -> str:
    status = live.get("status") or {}
    if not _observed(live):
        return _NOT_OBSERVED
    desired = int(live["spec"].get("replicas", 1))
    failed = _condition(status, "Progressing", "False")
    if failed:
        return failed
    updated, available = int(status.get("updatedReplicas", 0)), int(status.get("availableReplicas", 0))
    if updated < desired or available < desired or int(status.get("replicas", 0)) > updated:
        refused = _condition(status, "ReplicaFailure", "True")
        return refused or f"{available} of {desired} pods are available"
    return ""


def _stateful_set(live: KubernetesObject) -> str:
    status = live.get("status") or {}
    if not _observed(live):
        return _NOT_OBSERVED
    desired, ready = int(live["spec"].get("replicas", 1)), int(status.get("readyReplicas", 0))
    if ready < desired or status.get("updateRevision") != status.get("currentRevision"):
        return f"{ready} of {desired} pods are ready"
    return ""


def _daemon_set(live: KubernetesObject) -> str:
    status = live.get("status") or {}
    if not _observed(live):
        return _NOT_OBSERVED
    desired, ready = int(status.get("desiredNumberScheduled", 0)), int(status.get("numberReady", 0))
    return "" if ready >= desired else f"{ready} of {desired} pods are ready"


def _job(live: KubernetesObject) -> str:
    status = live.get("status") or {}
    failed = _condition(status, "Failed", "True")
    if failed:
        return failed
    return "" if _has_condition(status, "Complete") else "it has not succeeded yet"


def _pod(live: KubernetesObject) -> str:
    status = live.get("status") or {}
    if status.get("phase") == "Succeeded":
        return ""
    return (
        ""
        if _has_condition(status, "Ready")
        else _condition(status, "PodScheduled", "False") or f"its phase is {status.get('phase')}"
    )


def _service(live: KubernetesObject) -> str:
    if live["spec"].get("type") != "LoadBalancer":
        return ""
    balancer = (live.get("status") or {}).get("loadBalancer") or {}
    return "" if balancer.get("ingress") else "it has no address yet"


def _claim(live: KubernetesObject) -> str:
    phase = (live.get("status") or {}).get("phase")
    return "" if phase in ("Bound", "Pending") else f"its phase is {phase}"


def _namespace(live: KubernetesObject) -> str:
    return "" if (live.get("status") or {}).get("phase") == "Active" else "it is not active yet"


def _definition(live: KubernetesObject) -> str:
    return "" if _has_condition(live.get("status") or {}, "Established") else "its kind is not served yet"


def _token(live: KubernetesObject) -> str:
    is_pending = live.get("type") == "kubernetes.io/service-account-token" and "token" not in (live.get("data") or {})
    return "its token is not filled in yet" if is_pending else ""


def _observed(live: KubernetesObject) -> bool:
    status = live.get("status") or {}
    return int(status.get("observedGeneration", 0)) >= int(live["metadata"].get("generation", 0))


def _condition(status: Mapping[str, Any], kind: str, value: str) -> str:
    """The message of a condition; "" if it does not have that status."""
    for condition in status.get("conditions") or ():
        if condition["type"] == kind and condition["status"] == value:
            return str(condition.get("message") or condition.get("reason") or kind)
    return ""


def _has_condition(status: Mapping[str, Any], kind: str) -> bool:
    return bool(_condition(status, kind, "True"))


_CHECKS: Mapping[str, Callable[[KubernetesObject], str]] = {
    "apiextensions.k8s.io/CustomResourceDefinition": _definition,
    "apps/DaemonSet": _daemon_set,
    "apps/Deployment": _deployment,
    "apps/StatefulSet": _stateful_set,
    "batch/Job": _job,
    "v1/Namespace": _namespace,
    "v1/PersistentVolumeClaim": _claim,
    "v1/Pod": _pod,
    "v1/Secret": _token,
    "v1/Service": _service,
}
