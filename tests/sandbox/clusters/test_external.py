"""An external cluster replaces a GKE cluster, and remains when the environment is destroyed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.checkout import copy
from support.real_cluster import real_cluster
from support.waiting import wait_for

from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.cluster import Cluster
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.clusters.node_pools import SIMULATED

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def external(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fleet, Cluster]]:
    """An API server that belongs to no sandbox."""
    with real_cluster(tmp_path_factory.mktemp("external")) as (fleet, cluster):
        yield fleet, cluster


def namespaces(server: Api) -> set[str]:
    return {str(namespace["metadata"]["name"]) for namespace in server.all("/api/v1/namespaces")}


def test_ci_uses_an_external_cluster_and_its_destroy_leaves_the_cluster_unchanged(
    external: tuple[Fleet, Cluster], tmp_path: Path
) -> None:
    fleet, cluster = external
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

    server = Api(fleet.kubeconfig(cluster))
    before = namespaces(server)
    done = atwork("up", "ci", "--context", "ci=no-such")
    assert done.returncode == 1
    assert "your kubeconfig has no context no-such; it has mine" in done.stdout + done.stderr

    done = atwork("up", "ci", "--context", "ci=mine")
    assert done.returncode == 0, done.stdout + done.stderr
    assert cluster.endpoint in done.stdout
    assert {"jenkins", "jenkins-agents"} <= namespaces(server)
    assert atwork("kubeconfig", "ci").stdout.strip() == kubeconfig.read_text().strip()
    assert [path.name for path in checkout.rglob("*.pid")] == []  # the sandbox starts no programs

    ci = checkout / "stacks" / "Pulumi.ci.yaml"
    ci.write_text(ci.read_text().replace("deletion_protection: true", "deletion_protection: false"))
    done = atwork("up", "ci")
    assert done.returncode == 0, done.stdout + done.stderr
    done = atwork("down", "ci")
    assert done.returncode == 0, done.stdout + done.stderr
    assert namespaces(server) == before
    assert fleet.running(cluster)
    server.close()


def test_outside_a_sandbox_every_pod_starts(external: tuple[Fleet, Cluster]) -> None:
    fleet, cluster = external
    server = Api(fleet.kubeconfig(cluster))
    server.call(
        "POST",
        "/api/v1/nodes",
        body={"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node", "annotations": SIMULATED}},
    )
    containers = [{"name": "main", "image": "nowhere.example.com/none:1"}]
    spec = {"nodeName": "node", "containers": containers, "automountServiceAccountToken": False}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": spec}
    path = "/api/v1/namespaces/default/pods"
    wait_for(lambda: server.all("/api/v1/namespaces/default/serviceaccounts"))
    server.call("POST", path, body=pod)
    wait_for(lambda: server.call("GET", f"{path}/probe")["status"]["phase"] == "Running")
    server.close()
