"""The status of a pod of a cluster, as a kubelet writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from atwork.pipeline.workload_content import PodContent
from atwork.sandbox.clusters.api import Api, ApiError


def phase(policy: str, codes: Sequence[int | None]) -> str:
    """The phase of a pod with a `restartPolicy` and these exit codes of its containers (None: runs)."""
    if policy == "Never" and None not in codes:
        return "Failed" if any(codes) else "Succeeded"
    return "Succeeded" if policy == "OnFailure" and set(codes) == {0} else "Running"


def described(content: PodContent, current: str, containers: list[dict[str, Any]], *, ready: bool) -> dict[str, Any]:
    """The status of a pod in a phase, with the states of its containers."""
    known = content.pod.get("status") or {}
    scheduled = [each for each in known.get("conditions") or () if each["type"] == "PodScheduled"]
    conditions = [{"type": kind, "status": str(ready)} for kind in ("ContainersReady", "Ready")]
    return {
        "phase": current,
        "podIP": content.address,
        "podIPs": [{"ip": content.address}],
        "conditions": [*scheduled, {"type": "Initialized", "status": "True"}, *conditions],
        "containerStatuses": containers,
    }


def refused(content: PodContent, why: str) -> dict[str, Any]:
    """The status of a pod whose containers cannot be created."""
    waiting = {"waiting": {"reason": "CreateContainerError", "message": why}}
    state = {"imageID": "", "ready": False, "started": False, "restartCount": 0, "state": waiting}
    containers = content.pod["spec"]["containers"]
    states = [{"name": each["name"], "image": each["image"], **state} for each in containers]
    return described(content, "Pending", states, ready=False)


def too_late(content: PodContent, containers: list[dict[str, Any]]) -> dict[str, Any]:
    """The status of a pod that is ended after its `activeDeadlineSeconds`, with the states of its containers."""
    ended = {"exitCode": 137, "reason": "DeadlineExceeded", "message": "it ran longer than activeDeadlineSeconds"}
    states = [
        {**each, "ready": False, "state": {"terminated": ended}} if "running" in each["state"] else each
        for each in containers
    ]
    return {**described(content, "Failed", states, ready=False), "reason": "DeadlineExceeded"}


def of_job(pod: Mapping[str, Any]) -> bool:
    """Whether a Job created the pod."""
    return any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences") or ())


def problems(status: Mapping[str, Any]) -> list[str]:
    """Why containers do not run, one line for each."""
    states = {each["name"]: each["state"] for each in status["containerStatuses"]}
    lines = {name: state.get("waiting") or state.get("terminated") for name, state in states.items()}
    failed = {name: why for name, why in lines.items() if why and why.get("exitCode") != 0}
    return [f"{name}: {why['reason']}: {why['message']}" for name, why in failed.items()]


def write(api: Api, pod: Mapping[str, Any], status: Mapping[str, Any]) -> None:
    """Write the status of a pod."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions = [{"lastTransitionTime": now, **each} for each in status["conditions"]]
    change(api, pod, {"status": {**status, "startTime": now, "conditions": conditions}}, "/status")


def change(api: Api, pod: Mapping[str, Any], body: Mapping[str, Any], part: str = "") -> None:
    """Change a pod, or a part of it, unless it was deleted meanwhile."""
    metadata = pod["metadata"]
    try:
        api.merge(f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}{part}", body)
    except ApiError as error:
        if error.code != 404:
            raise
