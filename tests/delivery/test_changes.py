"""What the approver of a deploy sees: the scripts that compare manifests and list commits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.checkout import ROOT

SCRIPTS = ROOT / "delivery" / "resources" / "deploy"

DEPLOYMENT = """\
---
# Source: orders/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: orders
  labels:
    name: other
spec:
  replicas: 2
"""
SECRET = """\
---
apiVersion: v1
kind: Secret
metadata:
  name: key
stringData:
  key: hunter2
"""


def _compare(folder: Path, running: str, coming: str) -> list[str]:
    (folder / "running.yaml").write_text(running)
    (folder / "coming.yaml").write_text(coming)
    command = [sys.executable, str(SCRIPTS / "compare.py"), "running.yaml", "coming.yaml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.splitlines()


def test_a_changed_object_is_a_diff(tmp_path: Path) -> None:
    lines = _compare(tmp_path, DEPLOYMENT, DEPLOYMENT.replace("replicas: 2", "replicas: 3"))
    assert lines[:2] == ["--- running: Deployment orders", "+++ coming: Deployment orders"]
    assert {"-  replicas: 2", "+  replicas: 3"} <= set(lines)
    assert lines[-1] == "0 created, 1 changed, 0 deleted"


def test_the_order_and_comments_of_manifests_are_no_change(tmp_path: Path) -> None:
    service = DEPLOYMENT.replace("Deployment", "Service")
    moved = DEPLOYMENT.replace("templates/deployment", "templates/other")
    assert _compare(tmp_path, DEPLOYMENT + service, service + moved) == ["0 created, 0 changed, 0 deleted"]


def test_objects_of_two_namespaces_differ(tmp_path: Path) -> None:
    elsewhere = DEPLOYMENT.replace("  name: orders\n", "  name: orders\n  namespace: stock\n")
    lines = _compare(tmp_path, DEPLOYMENT, elsewhere)
    assert "+++ coming: Deployment stock orders" in lines
    assert lines[-1] == "1 created, 0 changed, 1 deleted"


@pytest.mark.parametrize(
    "secret",
    [
        SECRET,
        SECRET.replace("kind: Secret", 'kind: "Secret"'),
        '---\n{"kind": "Secret", "metadata": {"name": "key"}, "stringData": {"key": "hunter2"}}\n',
        "---\nkind: List\nitems:\n- kind: Secret\n  stringData:\n    key: hunter2\n",
    ],
    ids=["block", "quoted", "JSON", "list"],
)
def test_the_content_of_a_secret_is_not_shown(secret: str, tmp_path: Path) -> None:
    for running, coming, count in (
        ("", secret, "1 created, 0 changed, 0 deleted"),
        (secret, "", "0 created, 0 changed, 1 deleted"),
        (secret, secret.replace("hunter2", "hunter3"), "0 created, 1 changed, 0 deleted"),
    ):
        lines = _compare(tmp_path, running, coming)
        assert not any("hunter" in line for line in lines)
        assert lines[0].endswith("a Secret, its content is not shown")
        assert lines[-1] == count


def test_a_kind_that_only_begins_with_secret_is_shown(tmp_path: Path) -> None:
    provider = "---\nkind: SecretProviderClass\nmetadata:\n  name: orders\nspec:\n  provider: gke\n"
    assert "+  provider: gke" in _compare(tmp_path, "", provider)


def _commits(**comparison: Any) -> list[str]:
    command = [sys.executable, str(SCRIPTS / "commits.py")]
    text = json.dumps({"total_commits": 0, "behind_by": 0, "commits": [], **comparison})
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout.splitlines()


def test_commits_are_listed_with_the_newest_first_and_one_line_each() -> None:
    commits = [
        {"sha": "a" * 40, "commit": {"message": "Fix the cart\n\nBecause"}},
        {"sha": "b" * 40, "commit": {"message": "Add \x1b[31ma retry" + "x" * 200}},
    ]
    first, newest, oldest = _commits(total_commits=2, commits=commits)
    assert first == "2 commits"
    assert newest.startswith("bbbbbbbb Add [31ma retryx")
    assert len(newest) == 109
    assert oldest == "aaaaaaaa Fix the cart"


def test_a_step_back_is_named() -> None:
    assert _commits(behind_by=3) == ["0 commits, 3 removed"]
    assert _commits(total_commits=1, commits=[{"sha": "a" * 40, "commit": {"message": ""}}])[0] == "1 commit"
