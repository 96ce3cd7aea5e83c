"""Objects of API servers as the engine sees them: what is drift, what is ready, what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from atwork.sandbox.provider.kubernetes import helm, objects
from atwork.sandbox.provider.kubernetes.readiness import problem
from atwork.sandbox.provider.values import is_secret, reveal, secret

QUOTA = {"apiVersion": "v1", "kind": "ResourceQuota", "spec": {"hard": {"requests.cpu": "1000m", "pods": "10"}}}
SERVED = {**QUOTA, "metadata": {"uid": "1"}, "spec": {"hard": {"requests.cpu": "1", "pods": "10"}}, "status": {}}

json_values = some.recursive(
    some.none() | some.booleans() | some.integers(-9, 9) | some.text(max_size=3),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text("abc", min_size=1), inner, max_size=3),
    max_leaves=8,
)


def test_defaults_and_formats_of_the_server_are_no_drift() -> None:
    assert objects.refreshed(QUOTA, SERVED, SERVED) == QUOTA


def test_only_changes_of_fields_in_the_program_are_drift() -> None:
    now = {**SERVED, "spec": {"hard": {"requests.cpu": "1", "pods": "7", "services": "3"}}}
    assert objects.refreshed(QUOTA, SERVED, now)["spec"] == {"hard": {"requests.cpu": "1000m", "pods": "7"}}


def test_a_removed_field_is_missing_in_the_refreshed_inputs() -> None:
    now = {**SERVED, "spec": {"hard": {"pods": "10"}}}
    assert objects.refreshed(QUOTA, SERVED, now)["spec"] == {"hard": {"pods": "10"}}


def test_inputs_that_the_server_never_returns_are_kept() -> None:
    given_ = {"kind": "Secret", "stringData": secret({"key": "value"})}
    live = {"kind": "Secret", "data": {"key": "dmFsdWU="}}
    assert objects.refreshed(given_, live, {**live, "type": "Opaque"}) == given_


def test_a_changed_secret_stays_secret() -> None:
    inputs = {"data": secret({"key": "b2xk"})}
    result = objects.refreshed(inputs, {"data": {"key": "b2xk"}}, {"data": {"key": "bmV3"}})
    assert is_secret(result["data"])
    assert reveal(result) == {"data": {"key": "bmV3"}}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.dictionaries(some.text("abc", min_size=1), json_values, max_size=4))
def test_an_unchanged_object_returns_the_inputs(inputs: dict[str, Any]) -> None:
    served = {**inputs, "status": {"x": 1}}
    assert objects.refreshed(inputs, served, served) == inputs


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    some.dictionaries(some.text("abc", min_size=1), json_values, max_size=4),
    some.dictionaries(some.text("abc", min_size=1), json_values, max_size=4),
)
def test_every_change_of_a_field_in_the_program_is_detected(old: dict[str, Any], new: dict[str, Any]) -> None:
    result = objects.refreshed(old, old, new)
    assert result.keys() == {key for key in old if key in new}
    for key, value in result.items():
        if not isinstance(value, (dict, list)):
            assert value == new[key]


def test_an_import_reads_all_fields_that_the_server_does_not_set() -> None:
    live = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "data": {"a": "b"},
        "status": {},
        "metadata": {"name": "n", "uid": "1", "resourceVersion": "2", "managedFields": []},
    }
    assert objects.imported(live) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "data": {"a": "b"},
        "metadata": {"name": "n"},
    }


def test_the_content_of_a_secret_stays_secret() -> None:
    kept = objects.outputs({"kind": "Secret", "metadata": {"managedFields": [1]}, "data": {"a": "YQ=="}})
    assert is_secret(kept["data"])
    assert kept["metadata"] == {}


def test_inputs_of_the_engine_are_not_sent_to_the_server() -> None:
    assert objects.body({"__defaults": [], "a": None, "b": {"c": secret("d"), "e": None}}) == {"b": {"c": "d"}}


def manifest(kind: str, api_version: str = "v1", generation: int = 2, **more: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"generation": generation}, **more}


CONDITION = {"type": "Progressing", "status": "False", "message": "deadline exceeded"}
REFUSED = {"type": "ReplicaFailure", "status": "True", "message": 'violates PodSecurity "restricted"'}


@pytest.mark.parametrize(
    ("live", "why"),
    [
        (manifest("ConfigMap"), ""),
        (manifest("Namespace", status={"phase": "Active"}), ""),
        (manifest("Namespace", status={"phase": "Terminating"}), "not active"),
        (manifest("Deployment", "apps/v1", spec={"replicas": 2}, status={"observedGeneration": 1}), "have not seen it"),
        (
            manifest(
                "Deployment",
                "apps/v1",
                spec={"replicas": 2},
                status={"observedGeneration": 2, "updatedReplicas": 2, "availableReplicas": 1},
            ),
            "1 of 2 pods",
        ),
        (
            manifest("Deployment", "apps/v1", spec={}, status={"observedGeneration": 2, "conditions": [CONDITION]}),
            "deadline",
        ),
        (
            # The Deployment itself is taken; only this tells why its pods never come.
            manifest(
                "Deployment", "apps/v1", spec={"replicas": 1}, status={"observedGeneration": 2, "conditions": [REFUSED]}
            ),
            "violates PodSecurity",
        ),
        (
            manifest(
                "Deployment",
                "apps/v1",
                spec={"replicas": 2},
                status={"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2},
            ),
            "",
        ),
        (manifest("StatefulSet", "apps/v1", spec={}, status={"observedGeneration": 2}), "0 of 1 pods"),
        (manifest("StatefulSet", "apps/v1", spec={}, status={"observedGeneration": 2, "readyReplicas": 1}), ""),
        (manifest("DaemonSet", "apps/v1", status={"observedGeneration": 2, "desiredNumberScheduled": 3}), "0 of 3"),
        (
            manifest(
                "Job", "batch/v1", status={"conditions": [{"type": "Failed", "status": "True", "message": "boom"}]}
            ),
            "boom",
        ),
        (manifest("Job", "batch/v1", status={}), "not succeeded"),
        (manifest("Job", "batch/v1", status={"conditions": [{"type": "Complete", "status": "True"}]}), ""),
        (
            manifest(
                "Pod",
                status={
                    "phase": "Pending",
                    "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes"}],
                },
            ),
            "0/1 nodes",
        ),
        (manifest("Pod", status={"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}), ""),
        (manifest("Service", spec={"type": "ClusterIP"}), ""),
        (manifest("Service", spec={"type": "LoadBalancer"}, status={}), "no address"),
        (manifest("PersistentVolumeClaim", status={"phase": "Lost"}), "Lost"),
        (manifest("Secret", type="kubernetes.io/service-account-token"), "token is not filled in"),
        (manifest("Secret", type="Opaque"), ""),
        (manifest("CustomResourceDefinition", "apiextensions.k8s.io/v1", status={}), "not served"),
    ],
)
def test_why_an_object_is_not_ready(live: dict[str, Any], why: str) -> None:
    result = problem(live)
    assert (why in result and bool(result)) if why else result == ""


def test_a_chart_is_available_if_a_folder_has_it(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JENKINS_CHART_DIR", raising=False)
    assert helm.chart_of({"chart": "jenkins"}) is None
    assert helm.chart_of({"chart": str(tmp_path)}) == tmp_path
    assert helm.chart_of({"chart": "./no-such-folder"}, tmp_path) is None
    (tmp_path / "Chart.yaml").write_text("name: jenkins")
    monkeypatch.setenv("JENKINS_CHART_DIR", str(tmp_path))
    assert helm.chart_of({"chart": "oci://mirror.example.com/charts/jenkins"}) == tmp_path
    assert helm.chart_of({"chart": "grafana"}) is None
    (tmp_path / "Chart.yaml").unlink()
    with pytest.raises(helm.Refused, match=r"no Chart\.yaml in it"):
        helm.chart_of({"chart": "jenkins"})
