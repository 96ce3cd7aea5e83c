"""What the gate makes of findings, without a cluster: states, events, annotations; and what a pod is to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_args

import pytest

from atwork.access.model import AccessModel
from atwork.sandbox.clusters import waiting
from atwork.sandbox.clusters.api import Api, ApiError, Place
from atwork.sandbox.clusters.blocked import ADMISSION, ADMITTED, BLOCKED
from atwork.sandbox.clusters.credentials import NODE
from atwork.sandbox.home import Home
from atwork.sandbox.verify import real_clusters
from atwork.sandbox.verify.environments import EnvironmentObjects
from atwork.sandbox.verify.gate import Gate, holding, status, tell
from atwork.sandbox.verify.model import CheckName, PodFinding, Reason
from components.jenkins.traffic import CONTROLLER_LABELS
from components.type_tokens import CLUSTER, NODE_POOL

POD: dict[str, Any] = {
    "metadata": {"name": "cart", "namespace": "shop", "uid": "u"},
    "spec": {"nodeName": "n", "containers": [{"name": "main", "image": "i"}]},
    "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "True"}]},
}


def finding(reason: Reason, check: CheckName = "mount") -> PodFinding:
    return PodFinding("staging", "shop/cart", check, f"what of {reason}", "why", "fix", reason)


class Recorder:
    """An API server that records its requests."""

    def __init__(self, *pods: dict[str, Any], there: bool = True) -> None:
        self.there, self.pods = there, pods or (POD,)
        self.merged: list[tuple[str, Any]] = []
        self.events: list[Mapping[str, Any]] = []

    def merge(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if not self.there:
            raise ApiError(404, "NotFound", "pods not found")
        if path.endswith("/refused"):
            raise ApiError(422, "Invalid", "ValidatingAdmissionPolicy 'candidates' denied request")
        self.merged.append((path.removeprefix("/api/v1/namespaces/shop/pods/"), body))
        return {}

    def all(self, path: str) -> list[dict[str, Any]]:
        return list(self.pods) if path == "/api/v1/pods" else []

    def place(self, api_version: str, kind: str) -> Place:
        return Place(api_version, kind, namespaced=True)

    def create(self, place: Place, body: Mapping[str, Any], *, manager: str) -> dict[str, Any]:
        if body["metadata"]["name"] in {event["metadata"]["name"] for event in self.events}:
            raise ApiError(409, "AlreadyExists", "is there")
        self.events.append(body)
        return {}


def report_to(recorder: Recorder, *findings: PodFinding, pod: dict[str, Any] = POD) -> Recorder:
    tell(cast("Api", recorder), pod, findings)
    return recorder


def test_a_pod_without_findings_may_start() -> None:
    assert report_to(Recorder()).merged == [("cart", {"metadata": {"annotations": {ADMITTED: "true", BLOCKED: None}}})]


FOR_A_NODE: dict[str, Any] = {
    **POD,
    "spec": {"containers": [], "schedulingGates": [{"name": "a"}, {"name": ADMISSION}, {"name": "b"}]},
}


def test_a_pod_for_a_real_node_is_scheduled_when_its_images_are_admitted() -> None:
    blocked = report_to(Recorder(), finding("FailedCreate", "image"), pod=FOR_A_NODE)
    assert blocked.merged == [("cart", {"metadata": {"annotations": {BLOCKED: "what of FailedCreate"}}})]
    assert [event["message"] for event in blocked.events] == ["what of FailedCreate; fix"]
    [(_, body)] = report_to(Recorder(), pod=FOR_A_NODE).merged
    others = [{"name": "a"}, {"name": "b"}]
    assert body == {"metadata": {"annotations": {BLOCKED: None}}, "spec": {"schedulingGates": others}}


@pytest.mark.parametrize(
    ("requests", "autoprovisioning", "refusals"),
    [
        ({"memory": "13Gi"}, False, 0),
        ({"memory": "14Gi"}, False, 1),
        ({"cpu": "4"}, False, 1),
        ({"memory": "14Gi"}, True, 0),
        ({"memory": "300Gi"}, True, 1),
    ],
)
def test_a_pod_for_a_real_node_waits_if_no_machine_on_gke_is_large_enough(
    requests: dict[str, str], *, autoprovisioning: bool, refusals: int
) -> None:
    limits = [{"resourceType": "cpu", "maximum": 64}, {"resourceType": "memory", "maximum": 256}]
    cluster = {
        "id": "projects/p/locations/europe-west1-b/clusters/c",
        "clusterAutoscaling": {"enabled": autoprovisioning, "resourceLimits": limits},
    }
    pool = {"id": f"{cluster['id']}/nodePools/services", "nodeConfig": {"machineType": "e2-standard-4"}, "nodeCount": 1}
    here = EnvironmentObjects("staging", {CLUSTER: [cluster], NODE_POOL: [pool]}, {})
    spec = {
        "containers": [{"name": "main", "image": "a", "resources": {"requests": requests}}],
        "nodeSelector": {"kubernetes.io/hostname": NODE},
    }
    findings = holding({**POD, "spec": spec}, here, AccessModel(()))
    assert [each.what.partition(" (services")[0] for each in findings] == ["no node takes it"] * refusals


def test_a_pod_that_ends_stays_gated(tmp_path: Path) -> None:
    ended = {**FOR_A_NODE, "metadata": {**POD["metadata"], "deletionTimestamp": "2026-11-28T08:00:00Z"}}
    for pod, writes in ((FOR_A_NODE, 1), (ended, 0)):
        recorder = Recorder(pod)
        Gate(Home(tmp_path)).judge(cast("Api", recorder), "elsewhere")
        assert len(recorder.merged) == writes


def test_a_pod_whose_annotation_is_refused_does_not_hold_up_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refused = {**POD, "metadata": {**POD["metadata"], "name": "refused"}}
    recorder = Recorder(refused, POD)
    Gate(Home(tmp_path)).judge(cast("Api", recorder), "elsewhere")
    assert [path for path, _ in recorder.merged] == ["cart"]
    assert "elsewhere: shop/refused: ApiError: ValidatingAdmissionPolicy 'candidates' denied request" in caplog.text


def test_a_gated_pod_waits_for_the_gate_or_for_what_the_gate_found() -> None:
    [line] = waiting.reasons(cast("Api", Recorder(FOR_A_NODE)))
    assert (
        line == "shop/cart: its images are not checked yet; if this stays, .sandbox/clusters/shared/gate.log says why"
    )
    blocked = {**FOR_A_NODE, "metadata": {**POD["metadata"], "annotations": {BLOCKED: "not admitted"}}}
    assert waiting.reasons(cast("Api", Recorder(blocked))) == ["shop/cart: not admitted"]


def test_a_cluster_that_the_simulated_cloud_does_not_know_starts_every_pod(tmp_path: Path) -> None:
    recorder = Recorder()
    Gate(Home(tmp_path)).judge(cast("Api", recorder), "elsewhere")
    assert recorder.merged == [("cart", {"metadata": {"annotations": {ADMITTED: "true", BLOCKED: None}}})]


@pytest.mark.parametrize(
    ("findings", "phase", "state"),
    [
        ([finding("ErrImagePull")], "Pending", {"reason": "ImagePullBackOff", "message": "what of ErrImagePull"}),
        (
            [finding("FailedCreate", "image")],
            "Pending",
            {"reason": "ContainerCreating", "message": "what of FailedCreate"},
        ),
        # A kubelet mounts before it pulls.
        (
            [finding("ErrImagePull"), finding("FailedMount")],
            "Pending",
            {"reason": "ContainerCreating", "message": "what of FailedMount"},
        ),
    ],
)
def test_a_blocked_pod_has_the_same_state_as_on_gke(
    findings: list[PodFinding], phase: str, state: dict[str, str]
) -> None:
    result = status(POD, findings)
    assert result["phase"] == phase
    assert result["containerStatuses"][0]["state"] == {"waiting": state}
    assert {item["type"]: item["status"] for item in result["conditions"]} == {
        "PodScheduled": "True",
        "Ready": "False",
        "ContainersReady": "False",
    }


def test_every_reason_of_a_finding_has_a_state() -> None:
    for reason in get_args(Reason):
        assert status(POD, [finding(reason)])["phase"] in ("Pending", "Running")


def test_a_pod_that_reaches_nothing_runs_and_is_not_ready() -> None:
    result = status(POD, [finding("Unhealthy", "network")])
    assert result["phase"] == "Running"
    assert "running" in result["containerStatuses"][0]["state"]
    assert result["containerStatuses"][0]["ready"] is False


def test_every_finding_is_an_event_and_the_annotation_has_all() -> None:
    recorder = report_to(Recorder(), finding("FailedMount"), finding("ErrImagePull"))
    assert [(event["reason"], event["message"]) for event in recorder.events] == [
        ("FailedMount", "what of FailedMount; fix"),
        ("Failed", "what of ErrImagePull; fix"),
    ]
    assert [path for path, _ in recorder.merged] == ["cart/status", "cart"]
    assert recorder.merged[1][1]["metadata"]["annotations"] == {BLOCKED: "what of FailedMount; what of ErrImagePull"}


def test_an_event_is_not_repeated() -> None:
    recorder = report_to(Recorder(), finding("FailedMount"))
    again = {**POD, "metadata": {**POD["metadata"], "annotations": {BLOCKED: "what of FailedMount"}}}
    report_to(recorder, finding("FailedMount"), pod=again)
    assert (len(recorder.merged), len(recorder.events)) == (2, 1)


def test_a_service_with_redis_of_the_platform_needs_no_store_next_to_it() -> None:
    facts = {"REDIS_URL": "rediss://10.0.15.7:6379/0", "REDIS_AUTH": "iam"}
    platform = {"kind": "ConfigMap", "metadata": {"namespace": "orders", "name": "platform"}, "data": facts}
    here = EnvironmentObjects("staging", {}, {}).with_objects([platform])
    labels = {"app.kubernetes.io/name": "orders", "app.kubernetes.io/instance": "orders"}
    result = real_clusters.pod({"metadata": {"name": "p", "namespace": "orders", "labels": labels}, "spec": {}}, here)
    assert result.traits == frozenset({"redis"})


def test_a_deleted_pod_is_not_an_error() -> None:
    assert report_to(Recorder(there=False), finding("FailedMount")).events == []


@pytest.mark.parametrize(
    ("namespace", "labels", "role"),
    [
        ("jenkins", dict(CONTROLLER_LABELS), "controller"),
        ("jenkins-agents", {}, "build"),
        ("jenkins-tests", {}, "test"),
        ("jenkins-deploy-staging", {}, "deploy"),
        ("preview-1", {"atwork.dev/store": "redis"}, "store"),
        ("orders", {"app.kubernetes.io/name": "orders", "app.kubernetes.io/instance": "orders"}, "service"),
        ("orders", {"app.kubernetes.io/component": "database-rights"}, "rights"),
        ("database-rights", {"app.kubernetes.io/component": "database-rights"}, "rights"),
        ("orders", {"app.kubernetes.io/name": "orders-smoke-test"}, "other"),
    ],
)
def test_the_role_of_a_pod_follows_from_namespace_and_labels(namespace: str, labels: dict[str, str], role: str) -> None:
    platform = {
        "kind": "ConfigMap",
        "metadata": {"namespace": "orders", "name": "platform"},
        "data": {"DATABASE_INSTANCE": "a:b:c", "REDIS_URL": "redis://redis:6379/0"},
    }
    here = EnvironmentObjects("staging", {}, {}).with_objects([platform])
    result = real_clusters.pod({"metadata": {"name": "p", "namespace": namespace, "labels": labels}, "spec": {}}, here)
    assert result.role == role
    assert result.traits == (frozenset({"database", "store-redis"}) if namespace == "orders" else frozenset())
