"""A cluster that somebody runs already takes the place of a GKE cluster, and stays when the environment goes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from support.checkout import copy

from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.choice import Choice, Kind
from atwork.sandbox.clusters.fleet import Cluster, Fleet

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def somebodys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fleet, Cluster]]:
    """An API server that no sandbox knows of."""
    folder = tmp_path_factory.mktemp("theirs")
    fleet = Fleet(folder / "clusters", folder / "bin", Choice(Kind.real), Console(stderr=True))
    cluster = fleet.reserve("projects/p/locations/l/clusters/mine", "mine")
    try:
        fleet.start(cluster)
        yield fleet, cluster
    finally:
        fleet.stop()


def namespaces(server: Api) -> set[str]:
    return {str(one["metadata"]["name"]) for one in server.all("/api/v1/namespaces")}


def test_ci_comes_up_in_it_and_leaves_it_as_it_was(somebodys: tuple[Fleet, Cluster], tmp_path: Path) -> None:
    fleet, cluster = somebodys
    checkout, kubeconfig = copy(tmp_path / "checkout", "infra", "policies"), tmp_path / "kubeconfig"
    kubeconfig.write_text(fleet.kubeconfig(cluster))

    def atwork(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from atwork.cli import main; main()", "sandbox", *words],
            cwd=checkout,
            env={**os.environ, "KUBECONFIG": str(kubeconfig)},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    theirs = Api(fleet.kubeconfig(cluster))
    before = namespaces(theirs)
    done = atwork("up", "ci", "--context", "ci=no-such")
    assert done.returncode == 1
    assert "your kubeconfig has no context no-such; it has mine" in done.stdout + done.stderr

    done = atwork("up", "ci", "--context", "ci=mine")
    assert done.returncode == 0, done.stdout + done.stderr
    assert cluster.endpoint in done.stdout
    assert {"jenkins", "jenkins-agents"} <= namespaces(theirs)
    assert atwork("kubeconfig", "ci").stdout.strip() == kubeconfig.read_text().strip()
    assert [path.name for path in checkout.rglob("*.pid")] == []  # nothing is started beside it

    ci = checkout / "stacks" / "Pulumi.ci.yaml"
    ci.write_text(ci.read_text().replace("deletion_protection: true", "deletion_protection: false"))
    done = atwork("up", "ci")
    assert done.returncode == 0, done.stdout + done.stderr
    done = atwork("down", "ci")
    assert done.returncode == 0, done.stdout + done.stderr
    assert namespaces(theirs) == before
    assert fleet.running(cluster)
    theirs.close()


def test_outside_a_sandbox_every_pod_starts(somebodys: tuple[Fleet, Cluster]) -> None:
    fleet, cluster = somebodys
    server = Api(fleet.kubeconfig(cluster))
    server.call("POST", "/api/v1/nodes", body={"apiVersion": "v1", "kind": "Node", "metadata": {"name": "one"}})
    containers = [{"name": "main", "image": "nowhere.example.com/none:1"}]
    spec = {"nodeName": "one", "containers": containers, "automountServiceAccountToken": False}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": spec}
    path = "/api/v1/namespaces/default/pods"
    end = time.monotonic() + 120
    while not server.all("/api/v1/namespaces/default/serviceaccounts"):
        assert time.monotonic() < end
        time.sleep(0.1)
    server.call("POST", path, body=pod)
    while server.call("GET", f"{path}/probe")["status"]["phase"] != "Running":
        assert time.monotonic() < end
        time.sleep(0.1)
    server.close()
