"""The part of the kubelet that kwok does not simulate: pods of real clusters start only if they would start on GKE.

A program that runs as long as the clusters. It checks each pod that has a node: a pod without findings gets the
annotation that kwok waits for, or the command that claimed its namespace (clusters/claims.py). Another pod stays as on
GKE (ImagePullBackOff, ContainerCreating, not Ready), with the reasons as events and in an annotation. The scheduler
decides about pods without a node, and the kubelet of a real node about its own, which are scheduled when Binary
Authorization admits their images and they fit on a machine of a node pool.
"""

from __future__ import annotations

import hashlib
import logging
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from atwork.access import simulated
from atwork.access.model import AccessModel
from atwork.errors import AccessError, ConfigError
from atwork.sandbox.cloud import Cloud, CloudCorrupt
from atwork.sandbox.clusters.api import Api, ApiError, Unreachable
from atwork.sandbox.clusters.blocked import ADMISSION, ADMITTED, BLOCKED, CONTAINERS, PLAYED
from atwork.sandbox.clusters.claims import claimed
from atwork.sandbox.clusters.credentials import NODE
from atwork.sandbox.clusters.running import fleet_of
from atwork.sandbox.home import Home
from atwork.sandbox.verify import images, placement, real_clusters
from atwork.sandbox.verify.checks import CheckContext, PodPlan, check
from atwork.sandbox.verify.environments import EnvironmentObjects, environments
from atwork.sandbox.verify.model import PodFinding, Reason
from infra.config import read_all

log = logging.getLogger("atwork.sandbox.gate")

_INTERVAL_SECONDS = 0.5
_COMPONENT = "kubelet"
_WAITING: Mapping[Reason, str] = {
    "FailedCreate": "ContainerCreating",
    "FailedScheduling": "ContainerCreating",
    "FailedMount": "ContainerCreating",
    "ErrImagePull": "ImagePullBackOff",
    "Unhealthy": "",
}
"""State of the containers by the reason of a finding, in the order of a pod's start; "" is running.

GKE does not admit a pod that Binary Authorization denies (FailedCreate); here the API server has admitted it already.
"""

JsonObject = dict[str, Any]


class Gate:
    """Checks the pods of all real clusters of a sandbox."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._apis: dict[str, Api] = {}

    def once(self) -> None:
        """Check all waiting pods."""
        fleet = fleet_of(self._home)
        for cluster in fleet.clusters() if fleet is not None else ():
            if fleet is None or not (cluster.managed and fleet.running(cluster)):
                continue
            if cluster.server not in self._apis:
                self._apis[cluster.server] = Api(fleet.kubeconfig(cluster))
            try:
                self.judge(self._apis[cluster.server], cluster.environment)
            except (ApiError, AccessError, CloudCorrupt, ConfigError, LookupError) as error:
                log.warning("%s: %s: %s", cluster.environment, type(error).__name__, error)

    def judge(self, api: Api, environment: str) -> None:
        """Check all waiting pods of a cluster."""
        pods = api.all("/api/v1/pods")
        waiting = [pod for pod in pods if _waits(pod) or _gates(pod)]
        if not waiting:
            return
        objects = Cloud(self._home.cloud).objects()
        everywhere = environments(objects)
        if environment not in everywhere:  # the simulated cloud does not have it: no checks
            for pod in waiting:
                with _alone(environment, pod):
                    tell(api, pod, ())
            return
        here = real_clusters.environment(everywhere[environment], api)
        numbers = {
            config.project.id: config.project.number
            for config in read_all(self._home.project.stacks).values()
            if config.project.number
        }
        nothing = PodPlan([], {}, [], {}, numbers)
        context = CheckContext({**everywhere, environment: here}, nothing, simulated.model(objects, numbers))
        present = [real_clusters.pod(other, here) for other in pods]
        claims = claimed(self._home.folder / "clusters")
        for pod in waiting:
            with _alone(environment, pod):
                if _gates(pod):
                    tell(api, pod, holding(pod, here, context.access))
                    continue
                starter = CONTAINERS if (environment, pod["metadata"]["namespace"]) in claims else PLAYED
                tell(api, pod, check(real_clusters.pod(pod, here), present, context), starter)


@contextmanager
def _alone(environment: str, pod: Mapping[str, Any]) -> Generator[None]:
    """Log what goes wrong with a pod, as when an admission policy refuses its annotation, and go on with the others."""
    try:
        yield
    except Unreachable:
        raise
    except (ApiError, AccessError, LookupError) as error:
        name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        log.warning("%s: %s: %s: %s", environment, name, type(error).__name__, error)


def _waits(pod: Mapping[str, Any]) -> bool:
    """Whether a pod has a node and may not start yet."""
    metadata, phase = pod["metadata"], (pod.get("status") or {}).get("phase")
    judged = ADMITTED in (metadata.get("annotations") or {})
    if judged or "deletionTimestamp" in metadata:
        return False
    return pod["spec"].get("nodeName", NODE) != NODE and phase in ("Pending", "Running")


def _gates(pod: Mapping[str, Any]) -> list[dict[str, str]]:
    """The scheduling gates of a pod that has this gate's; empty for another pod."""
    gates = pod["spec"].get("schedulingGates") or []
    return gates if "deletionTimestamp" not in pod["metadata"] and {"name": ADMISSION} in gates else []


def holding(pod: Mapping[str, Any], here: EnvironmentObjects, access: AccessModel) -> list[PodFinding]:
    """Why a pod for a real node is not scheduled: its images are denied, or no machine on GKE is large enough."""
    # Without what places it on this node, so that it can be compared with the pools of GKE.
    selector = {key: value for key, value in (pod["spec"].get("nodeSelector") or {}).items() if value != NODE}
    real = real_clusters.pod({**pod, "spec": {**pod["spec"], "nodeSelector": selector}}, here)
    return [*images.check_admission(real, here, access), *placement.check(real, here)]


def tell(api: Api, pod: Mapping[str, Any], findings: Sequence[PodFinding], starter: str = PLAYED) -> None:
    """Let a pod start, or report why it does not; `starter` is who starts it."""
    metadata = pod["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
    try:
        gates = _gates(pod)
        if not findings:
            body: JsonObject = {"metadata": {"annotations": {ADMITTED: starter, BLOCKED: None}}}
            if gates:
                others = [other for other in gates if other["name"] != ADMISSION]
                body = {"metadata": {"annotations": {BLOCKED: None}}, "spec": {"schedulingGates": others}}
            api.merge(path, body)
            return
        why = "; ".join(finding.what for finding in findings)
        if (metadata.get("annotations") or {}).get(BLOCKED) == why:
            return
        if not gates:
            api.merge(f"{path}/status", {"status": status(pod, findings)})
        for finding in findings:
            _event(api, pod, finding)
        api.merge(path, {"metadata": {"annotations": {BLOCKED: why}}})
    except ApiError as error:
        if error.code != 404:  # deleted in the meantime
            raise


def status(pod: Mapping[str, Any], findings: Sequence[PodFinding]) -> JsonObject:
    """The status of a pod that does not start, by the first finding in the order of its start."""
    order = list(_WAITING)
    first = min(findings, key=lambda finding: order.index(finding.reason))
    waiting = _WAITING[first.reason]
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    state: JsonObject = {"waiting": {"reason": waiting, "message": first.what}}
    if not waiting:
        state = {"running": {"startedAt": now}}
    condition = {"status": "False", "reason": "ContainersNotReady", "message": first.what, "lastTransitionTime": now}
    conditions = (pod.get("status") or {}).get("conditions") or ()
    scheduled = [existing for existing in conditions if existing["type"] == "PodScheduled"]
    return {
        "phase": "Pending" if waiting else "Running",
        "conditions": [*scheduled, *({"type": kind, **condition} for kind in ("Ready", "ContainersReady"))],
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": False,
                "restartCount": 0,
                "started": not waiting,
                "state": state,
            }
            for container in pod["spec"]["containers"]
        ],
    }


def _event(api: Api, pod: Mapping[str, Any], finding: PodFinding) -> None:
    """Write a warning as the kubelet does, once for each content."""
    metadata = pod["metadata"]
    digest = hashlib.sha256(f"{metadata['uid']}{finding.what}".encode()).hexdigest()[:16]
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name'][:200]}.{digest}", "namespace": metadata["namespace"]},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "reason": "Failed" if finding.reason == "ErrImagePull" else finding.reason,
        "message": f"{finding.what}; {finding.fix}"[:1024],
        "type": "Warning",
        "source": {"component": _COMPONENT},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
    try:
        api.create(api.place("v1", "Event"), body, manager=_COMPONENT)
    except ApiError as error:
        if error.code != 409:
            raise


def main() -> None:
    """Check pods until the sandbox is deleted or the program is stopped."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    home = Home(Path(sys.argv[1]))
    gate = Gate(home)
    while (home.folder / "clusters").is_dir():
        gate.once()
        time.sleep(_INTERVAL_SECONDS)


if __name__ == "__main__":
    main()
