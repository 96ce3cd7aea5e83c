"""Pods of a cluster that do not run, and why, in one line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.blocked import ADMISSION, BLOCKED

_LONGEST = 400
_NO_REASON = ("", "ContainerCreating", "PodInitializing")
"""What a pod that waits says if only its events have the reason."""


def reasons(api: Api) -> list[str]:
    """NAMESPACE/POD: reason of each pod that does not run, sorted; pods that have ended well are left out."""
    waiting = [pod for pod in api.all("/api/v1/pods") if not _runs(pod)]
    return sorted(f"{_name(pod)}: {' '.join(_reason(api, pod).split())[:_LONGEST]}" for pod in waiting)


def _name(pod: Mapping[str, Any]) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _runs(pod: Mapping[str, Any]) -> bool:
    status = pod.get("status") or {}
    if "deletionTimestamp" in pod["metadata"] or status.get("phase") == "Succeeded":
        return True
    return any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or ())


def _reason(api: Api, pod: Mapping[str, Any]) -> str:
    if blocked := (pod["metadata"].get("annotations") or {}).get(BLOCKED):
        return str(blocked)
    if {"name": ADMISSION} in (pod["spec"].get("schedulingGates") or ()):
        return "its images are not checked yet; if this stays, .sandbox/clusters/shared/gate.log says why"
    status = pod.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"{condition.get('reason', '')}: {condition.get('message', '')}"
    return stuck(pod) or _last_warning(api, pod) or f"{status.get('phase', 'Pending')}, not ready yet"


def stuck(pod: Mapping[str, Any]) -> str:
    """Why a container of a pod does not start, as its status says; empty if it says nothing."""
    for state in _states(pod.get("status") or {}):
        if state.get("reason", "") not in _NO_REASON:
            return " ".join(f"{state['reason']}: {state.get('message') or state.get('exitCode', '')}".split())
    return ""


def _states(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What containers wait for, or how they ended."""
    for kind in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(kind) or ():
            state = container.get("state") or {}
            ended = state.get("terminated") or {}
            yield state.get("waiting") or (ended if ended.get("exitCode") else {})


def _last_warning(api: Api, pod: Mapping[str, Any]) -> str:
    metadata = pod["metadata"]
    selector = f"involvedObject.uid={metadata['uid']},type=Warning"
    events = api.all(f"/api/v1/namespaces/{metadata['namespace']}/events", fieldSelector=selector)
    last = max(events, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "", default=None)
    return f"{last['reason']}: {last['message']}" if last else ""
