"""The checks that other tests rely on find what they are for."""

from __future__ import annotations

from typing import Any

import pytest

from atwork.sandbox.verify import pod_security

SAFE: dict[str, Any] = {
    "name": "app",
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsUser": 1000},
}
POD: dict[str, Any] = {"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}}


def _container(**context: object) -> dict[str, Any]:
    return {**POD, "containers": [{**SAFE, "securityContext": {**SAFE["securityContext"], **context}}]}


def test_a_restricted_pod_passes() -> None:
    assert pod_security.restricted({**POD, "containers": [SAFE], "initContainers": [SAFE]}) == []


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"hostNetwork": True}, "pod: hostNetwork"),
        ({"hostPID": True}, "pod: hostPID"),
        ({"volumes": [{"name": "disk", "hostPath": {"path": "/"}}]}, "volume disk: hostPath"),
        ({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, "pod: seccompProfile Unconfined"),
        (_container(privileged=True), "app: privileged"),
        (_container(capabilities={"add": ["SYS_ADMIN"]}), "app: added capabilities"),
        (_container(appArmorProfile={"type": "Unconfined"}), "app: appArmorProfile Unconfined"),
        ({"containers": [{**SAFE, "ports": [{"hostPort": 80}]}]}, "app: hostPort"),
        ({"initContainers": [{"name": "first", "securityContext": {"privileged": True}}]}, "first: privileged"),
    ],
)
def test_baseline_refuses(spec: dict[str, Any], problem: str) -> None:
    assert pod_security.baseline(spec) == [problem]


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (_container(allowPrivilegeEscalation=None), "app: allowPrivilegeEscalation"),
        (_container(capabilities={"drop": ["NET_RAW"]}), "app: keeps capabilities"),
        (_container(runAsNonRoot=False), "app: may run as root"),
        (_container(runAsUser=0), "app: runs as root"),
        ({"securityContext": {"runAsNonRoot": True}, "containers": [SAFE]}, "app: no seccomp profile"),
        ({**POD, "volumes": [{"name": "share", "nfs": {}}]}, "volume share: only plain volumes"),
    ],
)
def test_restricted_refuses(spec: dict[str, Any], problem: str) -> None:
    assert pod_security.restricted(spec) == [problem]
