"""A service on a real node: deployed by its pipeline, pulled with the rights of the node, answering, kept."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psutil
import pytest
from support import shell
from support.pipelines import Stock, sandbox
from support.waiting import wait_for

from atwork.errors import UsageError
from atwork.sandbox.clusters import waiting
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.credentials import NODE
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.clusters.node import files
from atwork.sandbox.clusters.running import fleet_of
from atwork.sandbox.open_service import opened
from atwork.sandbox.provider.values import reveal
from components.type_tokens import OCCURRENCE, PROJECT_MEMBER, SECRET_VERSION

SECRET_GRANT = "gcp:secretmanager/secretIamMember:SecretIamMember"
GRANT = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"

pytestmark = [pytest.mark.usefixtures("containers", "pipelines"), pytest.mark.engine]


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    """A service with a secret and without stores, next to one with a database and Redis."""
    folder = tmp_path_factory.mktemp("nodes")
    with sandbox(folder, "web", ("--secrets", "api-key"), ("--nodes", "real")) as web:
        stores = ("--stores", "postgres,redis", "--into", str(folder / "stock"), "--owner", "team-stock")
        shell.run(web.home, "service", "new", "stock", "--repo", "https://github.com/acme/stock", *stores)
        stock = replace(web, repository=folder / "stock")
        stock.commit("init", "--quiet", "--initial-branch=main")
        stock.replace("Jenkinsfile", "servicePipeline(", "servicePipeline(preview: true, ")
        yield web


def fleet(web: Stock) -> Fleet:
    clusters = fleet_of(web.home)
    assert clusters is not None
    return clusters


def staging(web: Stock) -> Api:
    cluster = fleet(web).of("staging")
    assert cluster is not None
    return Api(fleet(web).kubeconfig(cluster))


def test_00_a_full_disk_of_images_is_one_line(web: Stock) -> None:
    images = str(fleet(web).registry.folder / "blobs")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", images], check=True)
    try:
        done = shell.atwork(web.home, "service", "run", str(web.repository), "--stage=build")
    finally:
        subprocess.run(["umount", images], check=True)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert "no space left on device" in line.lower()


def test_01_a_service_without_stores_is_deployed_to_the_node_and_answers(web: Stock) -> None:
    web.require("log")
    done = shell.atwork(web.home, "service", "run", str(web.repository), "--stage=deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[platform/web/staging] ── Smoke test" in done.stdout
    assert "`atwork sandbox open web --environment staging` prints an address at any time" in done.stdout
    events = staging(web).all("/api/v1/namespaces/web/events", fieldSelector="involvedObject.name=web-smoke-test")
    assert f"Successfully assigned web/web-smoke-test to {NODE}" in [each["message"] for each in events]
    [pod] = staging(web).all("/api/v1/namespaces/web/pods")
    assert pod["spec"]["nodeName"] == NODE
    assert secret(web, pod) == value(web)
    with opened(fleet(web), "web") as address, urllib.request.urlopen(f"http://{address}/readyz") as answer:
        assert json.loads(answer.read()) == {"ready": True}


def test_01a_a_build_of_a_pull_request_runs_on_the_node_next_to_its_stores(web: Stock) -> None:
    """Its migration, its stores and its smoke test, too."""
    repository = web.repository.with_name("stock")
    done = shell.atwork(web.home, "service", "run", str(repository), "--pull-request=7", "--stage=deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Preflight → Build → Test → Chart → Preview passed" in done.stdout
    events = staging(web).all("/api/v1/namespaces/preview-1/events", fieldSelector="reason=Scheduled")
    placed = {each["involvedObject"]["name"] for each in events if each["message"].endswith(f" to {NODE}")}
    assert len(placed) == len(events)
    for part in ("postgres", "redis", "stock", "migration", "smoke-test"):
        assert any(part in name for name in placed), placed


def test_01b_a_rolling_update_loses_no_request(web: Stock) -> None:
    """The pod before answers until the new one is ready, and requests that it has begun to answer end."""
    api = staging(web)
    [before] = names(api)
    ended = threading.Event()
    with opened(fleet(web), "web") as address, ThreadPoolExecutor() as clients:
        asking = clients.submit(ask, address, ended)
        try:
            template = {"metadata": {"annotations": {"restarted": "once"}}}
            api.merge("/apis/apps/v1/namespaces/web/deployments/web", {"spec": {"template": template}})
            wait_for(lambda: len(names(api)) == 1 and before not in names(api), lambda: states(api))
        finally:
            ended.set()
        assert set(asking.result()) == {HTTPStatus.OK}


def test_01c_a_drained_node_ends_its_pods_and_runs_them_again_when_it_is_back(web: Stock) -> None:
    api = staging(web)
    [before] = names(api)
    node = f"/api/v1/nodes/{NODE}"
    api.merge(node, {"spec": {"unschedulable": True}})
    try:
        evict = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": before, "namespace": "web"}}
        api.call("POST", f"/api/v1/namespaces/web/pods/{before}/eviction", body=evict)
        wait_for(lambda: before not in names(api), lambda: states(api))
        wait_for(lambda: any("unschedulable" in why for why in waiting.reasons(api)), lambda: states(api))
    finally:
        api.merge(node, {"spec": {"unschedulable": None}})
    wait_for(lambda: [phase for _, phase in states(api)] == ["Running"], lambda: states(api))


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (SECRET_GRANT, "PermissionDenied desc = Permission 'secretmanager.versions.access' denied for resource"),
        (SECRET_VERSION, "NotFound desc = Secret [projects/"),
    ],
    ids=["no right", "no version"],
)
def test_01d_a_pod_that_cannot_read_its_secret_waits_and_starts_when_it_can(web: Stock, kind: str, why: str) -> None:
    api = staging(web)
    [item] = [item for item in web.cloud.objects("", kind) if item.id.startswith(f"{version(web)[0]}/")]
    expected = value(web)
    web.cloud.delete("", kind, item.id)
    try:
        end_pod(api)
        wait_for(lambda: any(why in line for line in waiting.reasons(api)), lambda: waiting.reasons(api))
        [line] = [line for line in waiting.reasons(api) if why in line]
        assert line.startswith("web/web-")
    finally:
        web.cloud.create(item, set())
    wait_for(lambda: [phase for _, phase in states(api)] == ["Running"], lambda: waiting.reasons(api))
    [pod] = api.all("/api/v1/namespaces/web/pods", labelSelector="pod-template-hash")
    assert secret(web, pod) == expected == value(web)


def version(web: Stock) -> tuple[str, str]:
    """The secret of the service in staging, and its value in the simulated cloud."""
    [item] = [
        item
        for item in web.cloud.objects("", SECRET_VERSION)
        if "-staging/" in item.id and "/secrets/web-api-key/" in item.id
    ]
    return item.id.partition("/versions/")[0], str(reveal(item.inputs)["secretData"])


def value(web: Stock) -> str:
    return version(web)[1]


def secret(web: Stock, pod: dict[str, Any]) -> str:
    """What a pod has in its volume, as the node sees it."""
    cluster = fleet(web).of("staging")
    assert cluster is not None
    root = Path(f"/proc/{fleet(web).node(cluster).pid}/root")
    volume = f"kubelet/pods/{pod['metadata']['uid']}/volumes/kubernetes.io~csi/secrets/mount"
    return (root / files.HOME.relative_to("/") / volume / "api-key").read_text()


def test_01e_a_version_that_never_becomes_ready_says_why_and_the_one_before_is_back(web: Stock) -> None:
    file = web.home.checkout / "services" / "web.yaml"
    file.write_text(f"{file.read_text()}rollout_minutes: 1\n")
    shell.run(web.home, "sandbox", "up", "ci", "--clusters", "real")  # Jenkins' job
    deployment = "chart/templates/deployment.yaml"
    web.replace(deployment, "readinessProbe: {httpGet: {path: /readyz", "readinessProbe: {httpGet: {path: /nothing")
    done = shell.atwork(web.home, "service", "run", str(web.repository), "--stage=deploy")
    web.replace(deployment, "readinessProbe: {httpGet: {path: /nothing", "readinessProbe: {httpGet: {path: /readyz")
    assert done.returncode == 1
    probe = "Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 404"
    assert re.search(rf"the deploy failed and the release before it is back \(web-\S+: service: {probe}\)", done.stdout)
    api = staging(web)
    wait_for(lambda: [phase for _, phase in states(api)] == ["Running"], lambda: states(api))  # the other pod has ended
    with opened(fleet(web), "web") as address, urllib.request.urlopen(f"http://{address}/readyz") as answer:
        assert json.loads(answer.read()) == {"ready": True}


def test_01f_a_quota_refuses_pods_and_the_deployment_says_so(web: Stock) -> None:
    api = staging(web)
    with requesting(api, "500Gi"):
        wait_for(lambda: any("exceeded quota" in why for why in failures(api)), lambda: failures(api))
    wait_for(lambda: failures(api) == [], lambda: failures(api))
    assert [phase for _, phase in states(api)] == ["Running"]


def test_01f_the_node_has_the_size_of_the_pools(web: Stock) -> None:
    """A pod that only auto-provisioned machines of GKE take runs, too: its limit is above the memory of a pool's."""
    api = staging(web)
    amounts = api.call("GET", f"/api/v1/nodes/{NODE}")["status"]["allocatable"]
    assert amounts["cpu"] == f"{3 * 1930 + 6 * 3920}m"  # three e2-standard-2 and six e2-standard-4
    with requesting(api, "14Gi"):
        wait_for(lambda: sizes(api) == [("14Gi", "Running")], lambda: sizes(api))
    wait_for(lambda: sizes(api) == [("256Mi", "Running")], lambda: sizes(api))


def sizes(api: Api) -> list[tuple[str, str]]:
    """What the pods of the service request, and their phases; also those that are about to end."""
    pods = api.all("/api/v1/namespaces/web/pods", labelSelector="pod-template-hash,app.kubernetes.io/name=web")
    requests = [pod["spec"]["containers"][0]["resources"]["requests"]["memory"] for pod in pods]
    return [(memory, pod["status"]["phase"]) for memory, pod in zip(requests, pods, strict=True)]


@contextmanager
def requesting(api: Api, memory: str) -> Generator[None]:
    """The deployment of the service, whose pods request an amount of memory."""
    path = "/apis/apps/v1/namespaces/web/deployments/web"
    [container] = api.call("GET", path)["spec"]["template"]["spec"]["containers"]
    large = {kind: {**amounts, "memory": memory} for kind, amounts in container["resources"].items()}

    def set_resources(resources: dict[str, Any]) -> None:
        containers = [{**container, "resources": resources}]
        api.merge(path, {"spec": {"template": {"spec": {"containers": containers}}}})

    set_resources(large)
    try:
        yield
    finally:
        set_resources(container["resources"])


def test_01g_an_image_without_an_attestation_waits_and_starts_when_it_has_one(web: Stock) -> None:
    """Nothing starts unchecked, and nothing waits for ever, when the program that checks images is killed."""
    api = staging(web)
    kill(web, "gate")
    end_pod(api)
    unchecked = "its images are not checked yet"
    wait_for(lambda: any(unchecked in why for why in waiting.reasons(api)), lambda: waiting.reasons(api))
    web.require("enforce")
    wait_for(lambda: [phase for _, phase in states(api)] == ["Running"], lambda: waiting.reasons(api))
    attestations = web.cloud.objects("", OCCURRENCE)
    for item in attestations:
        web.cloud.delete("", OCCURRENCE, item.id)
    try:
        end_pod(api)
        denied = "Binary Authorization of staging does not admit it"
        wait_for(lambda: any(denied in why for why in waiting.reasons(api)), lambda: waiting.reasons(api))
        [pod] = api.all("/api/v1/namespaces/web/pods", labelSelector="pod-template-hash")
        assert "nodeName" not in pod["spec"]
        [line] = [line for line in shell.run(web.home, "sandbox", "status").splitlines() if denied in line]
        assert line.strip().startswith(f"staging: web/{pod['metadata']['name']}: image ")
    finally:
        for item in attestations:
            web.cloud.create(item, set())
    wait_for(lambda: [phase for _, phase in states(api)] == ["Running"], lambda: waiting.reasons(api))


def test_01h_a_service_with_a_database_and_redis_of_google_runs_on_the_node_and_keeps_its_data(web: Stock) -> None:
    done = shell.atwork(web.home, "service", "run", str(web.repository.with_name("stock")), "--stage=deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    events = staging(web).all("/api/v1/namespaces/stock/events", fieldSelector="reason=Scheduled")
    placed = [each["involvedObject"]["name"] for each in events if each["message"].endswith(f" to {NODE}")]
    for part in ("stock-migration-", "stock-smoke-test", "stock-"):
        assert any(name.startswith(part) for name in placed), placed
    assert not any(name.startswith("database-login-") for name in placed), placed
    with opened(fleet(web), "stock") as address:
        visits = visit(address)
        assert cached(web) == visits
        [program] = [each for each in psutil.process_iter() if is_data_program(web, each)]
        stores = [each for each in program.children(recursive=True) if each.name() in ("postgres", "redis-server")]
        assert {each.name() for each in stores} == {"postgres", "redis-server"}
        program.kill()
        assert psutil.wait_procs(stores, timeout=60)[1] == []
        wait_for(lambda: is_ready(address), lambda: waiting.reasons(staging(web)))
        assert visit(address) == visits + 1 == cached(web)


def test_01i_a_pod_that_may_not_log_in_to_its_database_says_so_and_is_ready_when_it_may(web: Stock) -> None:
    api = staging(web)
    [item] = [
        item
        for item in web.cloud.objects("", PROJECT_MEMBER)
        if item.inputs["role"] == "roles/cloudsql.instanceUser"
        and "stock-sql@acme-at-work-staging." in str(item.inputs)
    ]
    web.cloud.delete("", PROJECT_MEMBER, item.id)
    try:
        end_pod(api, "stock")
        wait_for(lambda: [phase for _, phase in states(api, "stock")] == ["Running"], lambda: waiting.reasons(api))
        in_pod(web, "cache.connect().delete('visits')")  # else it answers without its database, for a minute
        why = "Cloud SQL: Not authorized to access resource. Possibly missing permission cloudsql.instances.login on"
        wait_for(lambda: any(why in line for line in waiting.reasons(api)), lambda: waiting.reasons(api))
        [line] = [line for line in waiting.reasons(api) if why in line]
        assert line.startswith(f"stock/{names(api, 'stock')[0]}: ")
    finally:
        web.cloud.create(item, set())
    stock = "stock/stock-"
    wait_for(lambda: not any(line.startswith(stock) for line in waiting.reasons(api)), lambda: waiting.reasons(api))


def is_data_program(web: Stock, process: psutil.Process) -> bool:
    """Whether a process answers for Cloud SQL on the nodes of a sandbox."""
    with suppress(psutil.Error):
        return {"atwork.pipeline.node_data", str(web.home.checkout)} <= {*process.cmdline()}
    return False


def is_ready(address: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://{address}/readyz") as answer:
        return json.loads(answer.read()) == {"ready": True}
    return False


def visit(address: str) -> int:
    """Count one visit in the database, and in Redis; the new count."""
    host, _, port = address.partition(":")
    with closing(http.client.HTTPConnection(host, int(port))) as client:
        client.request("POST", "/visits")
        return int(json.loads(client.getresponse().read())["visits"])


def cached(web: Stock) -> int:
    """What a pod of the service reads from Redis."""
    return int(in_pod(web, "print(int(cache.connect().get('visits')))"))


def in_pod(web: Stock, statement: str) -> str:
    """Run Python in a pod of the service, with its connection to Redis; returns the output."""
    login = web.home.checkout / "kubeconfig"
    login.write_text(shell.run(web.home, "sandbox", "kubeconfig", "staging"))
    command = ["kubectl", f"--kubeconfig={login}", "--namespace=stock", "exec", "deploy/stock", "--", "python", "-c"]
    script = f"from app import cache; {statement}"
    return subprocess.run([*command, script], capture_output=True, text=True, check=True).stdout


def end_pod(api: Api, service: str = "web") -> None:
    """Delete the pod of a service without the grace period, in which another pod answers."""
    [name] = names(api, service)
    api.call("DELETE", f"/api/v1/namespaces/{service}/pods/{name}", query={"gracePeriodSeconds": "0"})


def kill(web: Stock, name: str) -> None:
    """End a program of the cluster of staging as a lack of memory does."""
    cluster = fleet(web).of("staging")
    assert cluster is not None
    [number] = [each.number for each in fleet(web).daemons(cluster) if each.name == name]
    assert number is not None
    os.kill(number, signal.SIGKILL)


def failures(api: Api) -> list[str]:
    """Why the cluster makes no more pods of the service."""
    [deployment] = api.all("/apis/apps/v1/namespaces/web/deployments")
    conditions = deployment["status"].get("conditions") or ()
    return [condition["message"] for condition in conditions if condition["type"] == "ReplicaFailure"]


def ask(address: str, ended: threading.Event) -> list[int]:
    """The status of each answer, until the end; connections are not kept."""
    answers: list[int] = []
    while not ended.is_set():
        with urllib.request.urlopen(f"http://{address}/readyz") as answer:
            answers.append(answer.status)
    return answers


def states(api: Api, service: str = "web") -> list[tuple[str, str]]:
    """Name and phase of the pods of a service."""
    selector = f"pod-template-hash,app.kubernetes.io/name={service}"
    pods = api.all(f"/api/v1/namespaces/{service}/pods", labelSelector=selector)
    return [(pod["metadata"]["name"], pod["status"]["phase"]) for pod in pods]


def names(api: Api, service: str = "web") -> list[str]:
    return [name for name, _ in states(api, service)]


def test_02_open_says_where_a_service_is_missing(web: Stock) -> None:
    absent = pytest.raises(UsageError, match="nothing: not found in the namespace nothing of any")
    with absent, opened(fleet(web), "nothing"):
        pass
    unknown = pytest.raises(UsageError, match="--environment elsewhere: no environment with a real cluster")
    with unknown, opened(fleet(web), "web", "elsewhere"):
        pass


def test_03_the_node_pulls_with_the_rights_of_its_account(web: Stock) -> None:
    grants = [item for item in web.cloud.objects("", GRANT) if "staging-nodes@" in item.inputs["member"]]
    [services] = [key for key in rights(web) if key.endswith("/services")]
    assert rights(web)[services] == ["artifactregistry.repositories.downloadArtifacts"]
    for grant in grants:
        web.cloud.delete("", GRANT, grant.id)
    try:
        assert not any(rights(web).values())
    finally:
        for grant in grants:
            web.cloud.create(grant, set())


def test_04_a_stopped_sandbox_leaves_no_process_no_mount_and_no_control_group(web: Stock) -> None:
    """Also none of its databases."""
    groups = [fleet(web).node(cluster).control_group for cluster in fleet(web).clusters()]
    assert {"postgres", "redis-server", "kubelet"} <= {each.name() for each in processes(web)}
    assert control_groups(groups)
    shell.run(web.home, "sandbox", "stop")
    wait_for(lambda: processes(web) == [], lambda: processes(web))
    assert str(web.home.checkout) not in Path("/proc/self/mounts").read_text()
    assert control_groups(groups) == []


def processes(web: Stock) -> list[psutil.Process]:
    """What runs in the sandbox, or in the namespaces of something in it."""
    everything: list[psutil.Process] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if str(web.home.checkout) in " ".join(process.cmdline()):
                everything += [process, *process.children(recursive=True)]
    return everything


def control_groups(names: list[str]) -> list[Path]:
    return [path for name in names for path in Path("/sys/fs/cgroup").glob(f"*/{name}")]


def rights(web: Stock) -> dict[str, list[str]]:
    """What the node of staging may do, as the registry asks for each pull."""
    cluster = fleet(web).of("staging")
    assert cluster is not None
    words = [sys.executable, "-P", "-m", "atwork.sandbox.node_rights", str(web.home.checkout), cluster.identity]
    return json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)["registry"]
