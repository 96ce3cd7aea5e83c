"""Why a release does not run: the script asks a cluster, here a server on loopback, and prints the reason."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from support.checkout import ROOT

SCRIPT = ROOT / "delivery" / "resources" / "deploy" / "reasons.py"
EXPIRED = "Error: UPGRADE FAILED: context deadline exceeded"
LOG = "Traceback:\nKeyError: 'DATABASE_URL'\n"


@contextmanager
def cluster(folder: Path, answers: dict[str, Any]) -> Generator[dict[str, str]]:
    """A cluster with these answers by a part of the path; nothing else is found. Yields the variables of the script."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            authorized = self.headers["Authorization"] == "Bearer t"
            deployer = self.headers["Impersonate-User"] == "system:serviceaccount:stock:deployer"
            answer = next((answers[part] for part in answers if part in self.path), None)
            self.send_response(200 if authorized and deployer and answer is not None else 404)
            self.end_headers()
            self.wfile.write((answer if isinstance(answer, str) else json.dumps(answer)).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            """Requests are not printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    (folder / "endpoint").write_text(f"http://127.0.0.1:{server.server_port}")
    (folder / "curl").write_text('header = "Authorization: Bearer t"\n')
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield {"DOCKER_CONFIG": str(folder), "PATH": "/usr/bin:/bin"}
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def reasons(folder: Path, answers: dict[str, Any], error: str = EXPIRED) -> subprocess.CompletedProcess[str]:
    (folder / "errors.txt").write_text(f"{error}\n")
    lists = {"/pods/": LOG, "/pods": {"items": []}, "/events": {"items": []}, "/deployments": {"items": []}}
    with cluster(folder, {**answers, **{part: answer for part, answer in lists.items() if part not in answers}}) as env:
        command = [sys.executable, str(SCRIPT), "stock", "errors.txt"]
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)


def pods(*statuses: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    named = {"name": "stock-1", "uid": "u1", "creationTimestamp": "2026-11-28T08:00:00Z", **metadata}
    return {"/pods/": LOG, "/pods": {"items": [{"metadata": named, "status": status} for status in statuses]}}


def status(state: dict[str, Any], restarts: int = 0, **more: Any) -> dict[str, Any]:
    container = {"name": "service", "ready": False, "restartCount": restarts, "state": state, **more}
    return {"phase": "Running", "containerStatuses": [container]}


CRASHED = {"terminated": {"exitCode": 1, "reason": "Error"}}
KILLED = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}}
NO_IMAGE = {"waiting": {"reason": "ImagePullBackOff", "message": "403 Forbidden:\n no right"}}
UNSCHEDULED = {
    "phase": "Pending",
    "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}],
}


@pytest.mark.parametrize(
    ("pod_status", "reason"),
    [
        (status(BACK_OFF, 4, lastState=CRASHED), "stock-1: service: ends with exit code 1 (Error), restarts: 4"),
        (status(BACK_OFF, 1, lastState=KILLED), "stock-1: service: ends with exit code 137 (OOMKilled), restarts: 1"),
        (status(CRASHED), "stock-1: service: ends with exit code 1 (Error)"),
        (status(NO_IMAGE), "stock-1: service: ImagePullBackOff: 403 Forbidden: no right"),
        (UNSCHEDULED, "stock-1: Unschedulable: 0/3 nodes"),
        ({"phase": "Pending"}, "stock-1: Pending, not ready"),
    ],
    ids=["crash loop", "out of memory", "ended", "image", "no node", "unknown"],
)
def test_the_state_of_a_pod_is_the_reason(pod_status: dict[str, Any], reason: str, tmp_path: Path) -> None:
    assert reasons(tmp_path, pods(pod_status)).stdout == f"{reason}\n"


def test_the_end_of_the_log_of_the_last_run_is_printed(tmp_path: Path) -> None:
    answers = {"previous=true": LOG, **pods(status(BACK_OFF, 4, lastState=CRASHED)), "/pods/": "of this run"}
    lines = reasons(tmp_path, answers).stderr.splitlines()
    assert lines == ["stock-1, container service, the end of its log:", "  Traceback:", "  KeyError: 'DATABASE_URL'"]


@pytest.mark.parametrize("state", [{"running": {}}, {"waiting": {"reason": "ContainerCreating"}}])
def test_the_last_warning_is_the_reason_where_the_state_says_nothing(state: dict[str, Any], tmp_path: Path) -> None:
    events = [
        {"involvedObject": {"uid": uid}, "reason": reason, "message": message, "lastTimestamp": time}
        for uid, reason, message, time in (
            ("u1", "FailedMount", "no version", "2026-11-28T08:00:01Z"),
            (
                "u1",
                "Unhealthy",
                "Readiness probe failed: HTTP probe failed with statuscode: 503",
                "2026-11-28T08:02:00Z",
            ),
            ("u2", "Other", "of another pod", "2026-11-28T08:03:00Z"),
        )
    ]
    done = reasons(tmp_path, {**pods(status(state)), "/events": {"items": events}})
    expected = "Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503"
    assert done.stdout in (f"stock-1: service: {expected}\n", f"stock-1: {expected}\n")


def test_a_pod_that_is_not_scheduled_yet_has_the_reason_in_its_events(tmp_path: Path) -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": "scheduling gates"}
    event = {"involvedObject": {"uid": "u1"}, "reason": "FailedCreate", "message": "not admitted", "lastTimestamp": ""}
    waiting = pods({"phase": "Pending", "conditions": [condition]})
    with_event = reasons(tmp_path, {**waiting, "/events": {"items": [event]}})
    assert with_event.stdout == "stock-1: FailedCreate: not admitted\n"
    assert reasons(tmp_path, waiting).stdout == "stock-1: SchedulingGated: scheduling gates\n"


def test_pods_that_are_refused_are_named(tmp_path: Path) -> None:
    condition = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: pods=40"}
    deployment = {"metadata": {"name": "stock"}, "status": {"conditions": [condition]}}
    done = reasons(tmp_path, {"/deployments": {"items": [deployment]}})
    assert done.stdout == "stock: exceeded quota: pods=40\n"


def test_pods_that_are_ready_or_end_are_no_reason(tmp_path: Path) -> None:
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    done = reasons(tmp_path, pods(ready, {"phase": "Succeeded"}), "Error: UPGRADE FAILED: pre-upgrade hooks failed")
    assert done.stdout == "UPGRADE FAILED: pre-upgrade hooks failed\n"
    ending = reasons(tmp_path, pods(status(CRASHED), deletionTimestamp="2026-11-28T08:00:00Z"))
    assert ending.stdout == "its pods were not ready in time\n"


def test_an_error_of_helm_comes_first_and_a_deadline_is_none(tmp_path: Path) -> None:
    hook = "Error: UPGRADE FAILED: pre-upgrade hooks failed: timed out waiting for the condition"
    done = reasons(tmp_path, pods(status(CRASHED)), f"coalesce.go: a warning\n{hook}")
    assert done.stdout.startswith(f"{hook.removeprefix('Error: ')}; stock-1: service: ends with exit code 1")
    assert "deadline" not in reasons(tmp_path, pods(status(CRASHED))).stdout


def test_only_the_newest_pods_are_named_and_a_message_is_cut(tmp_path: Path) -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "x" * 1000}
    long = {"phase": "Pending", "conditions": [condition]}
    listed = [
        {"metadata": {"name": f"stock-{day}", "uid": str(day), "creationTimestamp": f"2026-11-0{day}"}, "status": long}
        for day in (2, 1, 4, 3)
    ]
    names = [each.split(":")[0] for each in reasons(tmp_path, {"/pods": {"items": listed}}).stdout.split("; ")]
    assert names == ["stock-4", "stock-3", "stock-2"]
    assert all(len(each) < 320 for each in reasons(tmp_path, {"/pods": {"items": listed}}).stdout.strip().split("; "))
