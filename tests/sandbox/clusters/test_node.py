"""A node that runs pods: kubelet, containerd and runc next to a real control plane, and what they leave on the machine."""

from __future__ import annotations

import base64
import http.client
import http.server
import ipaddress
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from support import pod_client
from support.waiting import wait_for

from atwork.containers import network
from atwork.containers.stand_ins import stand_in
from atwork.sandbox.clusters import status, waiting
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.choice import Choice, ClusterKind, NodeKind
from atwork.sandbox.clusters.cluster import Cluster
from atwork.sandbox.clusters.credentials import NODE
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.clusters.node import capacity, files, placement, secrets, services
from atwork.sandbox.clusters.node.data_services import DataServices
from atwork.sandbox.clusters.node.real_node import RealNode
from atwork.sandbox.clusters.node.registry import NodeRegistry
from atwork.sandbox.clusters.node_pools import Pool
from atwork.sandbox.endpoints import Endpoints, TokenHolder
from atwork.toolchain import programs
from components.cluster_settings import CSI_DRIVER
from components.database_job import COMPONENT, COMPONENT_LABEL
from components.service import CONFIG_MAP

pytestmark = [pytest.mark.usefixtures("containers"), pytest.mark.engine]

_COMM = 15
"""Characters of a program's name that the kernel keeps."""


HOST = "europe-docker.pkg.dev"
READ, WRITE = (f"artifactregistry.repositories.{verb}Artifacts" for verb in ("download", "upload"))

GOOGLE = """
import base64, json, sys
asked = json.load(sys.stdin)
if asked["method"] == "exchange":
    claims = asked["token"].split(".")[1]
    answer = {"principal": json.loads(base64.urlsafe_b64decode(claims + "=="))["sub"]}
else:
    answer = json.load(open(sys.argv[1]))[f"{asked['principal']} {asked['name']}"]
print(json.dumps(answer))
"""
"""What answers for Google: the file of `Machine.secrets` stands for the simulated cloud."""

FACTS = {
    "DATABASE_INSTANCE": "acme:europe-west1:main-1",
    "DATABASE_NAME": "stock",
    "DATABASE_USER": "stock-sql@acme.iam",
    "REDIS_URL": "rediss://10.0.15.7:6379/0",
    "REDIS_AUTH": "iam",
    "REDIS_CA": "a certificate",
}
"""Those of a namespace with a database and Redis."""

SECRET = b"a-value-that-is-nowhere-else"
VERSION = "projects/p/secrets/shop-api-key/versions/latest"


@dataclass(frozen=True)
class Machine:
    """A cluster with a node, and the registry of its images."""

    fleet: Fleet
    cluster: Cluster
    api: Api
    rights: Path
    """File with what the node may do in the registry."""
    secrets: Path
    """File with what Secret Manager answers, by principal and name of the version."""
    before: Footprint

    @property
    def node(self) -> RealNode:
        return self.fleet.node(self.cluster)

    def start(self) -> None:
        self.fleet.start(self.cluster)
        self.may_read("p/services")

    def may_read(self, repository: str) -> None:
        """Let the node read from one repository."""
        identity = {"principal": "serviceAccount:nodes", "registry": {repository: [READ]}}
        self.rights.write_text(json.dumps(identity))
        # The simulated cloud, which the registry of a sandbox asks, is not there. Of a new token it remembers nothing.
        self.fleet.registry.dismiss(self.cluster.key)
        google = [sys.executable, "-c", GOOGLE, str(self.secrets)]
        command = ["cat", str(self.rights)]
        token = self.fleet.registry.admit(self.cluster.key, command, self.cluster.identity, google).token
        login = self.node.folder / "login.json"
        login.write_text(re.sub(r'"password": "[^"]*"', f'"password": "{token}"', login.read_text()))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    console, folder = Console(stderr=True), tmp_path_factory.mktemp("node")
    choice = Choice(ClusterKind.real, nodes=NodeKind.real)
    fleet = Fleet(folder / "clusters", folder / "bin", choice, console)
    cluster = fleet.reserve("projects/p/locations/europe-west1/clusters/one", "one")
    before = Footprint.of_machine(fleet.node(cluster))
    try:
        fleet.start(cluster)
        fleet.install_addons(cluster)
        api = Api(fleet.kubeconfig(cluster))
        machine = Machine(fleet, cluster, api, folder / "rights.json", folder / "secrets.json", before)
        push(fleet.registry, folder, f"{HOST}/p/services/web:1", console)
        yield machine
    finally:
        fleet.stop()


def push(registry: NodeRegistry, folder: Path, image: str, console: Console) -> None:
    """Push an image with Python, as a session of a pipeline does."""
    writer = TokenHolder("serviceAccount:writer", {"p/services": [READ, WRITE]})
    with registry.session(Endpoints(folder, HOST, "europe", (), {}, {"writer": writer})) as endpoints:
        login = base64.b64encode(b"oauth2accesstoken:writer").decode()
        (folder / "config.json").write_text(json.dumps({"auths": {HOST: {"auth": login}}}))
        environment = {**endpoints.environment(), "DOCKER_CONFIG": str(folder), "HOME": str(folder)}
        command = [str(programs.registry(console)[0]), "push", str(stand_in("python", console)), image]
        subprocess.run(command, env=environment, capture_output=True, check=True)


def pod(name: str, image: str) -> dict[str, Any]:
    """A pod that Pod Security admits as restricted, with all that services have."""
    security = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    container = {
        "name": "main",
        "image": image,
        "command": ["python3", "-m", "http.server", "8080", "--directory", "/data"],
        "securityContext": security,
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}},
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "fsGroup": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": "data", "emptyDir": {}}],
            "terminationGracePeriodSeconds": 1,
        },
    }


def read(machine: Machine, name: str) -> dict[str, Any]:
    return machine.api.call("GET", f"/api/v1/namespaces/shop/pods/{name}")


def messages(machine: Machine, name: str) -> list[str]:
    """The messages of a pod's events, which are written after its status."""
    path = "/api/v1/namespaces/shop/events"
    return [each["message"] for each in machine.api.all(path, fieldSelector=f"involvedObject.name={name}")]


@pytest.fixture(scope="module")
def shop(machine: Machine) -> None:
    """The namespace of a service, as the program creates it."""
    machine.start()
    for path, body in (
        ("/api/v1/namespaces", {"metadata": {"name": "shop"}}),
        ("/api/v1/namespaces/shop/configmaps", {"metadata": {"name": CONFIG_MAP}, "data": {"A": "b"}}),
        ("/api/v1/namespaces", {"metadata": {"name": "data"}}),
        ("/api/v1/namespaces/data/configmaps", {"metadata": {"name": CONFIG_MAP}, "data": {"DATABASE_INSTANCE": "b"}}),
    ):
        machine.api.call("POST", path, body=body)
    accounts = machine.api.place("v1", "ServiceAccount")
    for namespace in ("shop", "data", "default"):
        wait_for(lambda name=namespace: machine.api.get(accounts, name, "default") is not None)


def is_ready(machine: Machine, name: str) -> bool:
    conditions = read(machine, name).get("status", {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def answer(machine: Machine, name: str) -> int:
    """The HTTP status of a pod, asked from the network of its node."""
    address = read(machine, name)["status"].get("podIP")
    if not address:
        raise ConnectionRefusedError(f"{name} has no address")
    with network.connect(machine.node.pid, 8080, address) as connection:
        client = http.client.HTTPConnection(address, 8080)
        client.sock = connection
        client.request("GET", "/")
        return client.getresponse().status


@dataclass(frozen=True)
class Footprint:
    """What a node could change on the machine, in addition to processes; without what other tests do meanwhile."""

    mounts: str
    interfaces: frozenset[str]
    control_groups: frozenset[str]
    rules: str
    kernel: tuple[str, ...]

    @classmethod
    def of_machine(cls, node: RealNode) -> Footprint:
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        groups = [path for path in Path("/sys/fs/cgroup").glob("*/*") if path.is_dir()]
        return cls(
            "\n".join(line for line in mounts if "/pytest-of-" not in line or str(node.folder) in line),
            frozenset(path.name for path in Path("/sys/class/net").iterdir()),
            frozenset(
                str(path) for path in groups if not path.name.startswith("atwork-") or path.name == node.control_group
            ),
            _rules(),
            tuple(Path("/proc/sys", path).read_text() for path in files.TUNABLES),
        )


def _rules() -> str:
    """The tables of iptables and nftables in use, and rules of iptables where the program to list them is installed."""
    program = shutil.which("iptables-save")
    listed = subprocess.run([program], capture_output=True, text=True, check=True).stdout if program else ""
    lines = [line for line in listed.splitlines() if not line.startswith(("#", ":"))]  # without dates and counters
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
    return Path("/proc/net/ip_tables_names").read_text() + tables + "\n".join(lines)


def processes(namespace: str) -> list[str]:
    """The processes in a PID namespace."""
    names: list[str] = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # the process has ended
            if str((path / "ns" / "pid").readlink()) == namespace:
                names.append((path / "comm").read_text().strip())
    return names


def number_of(namespace: str, program: str) -> int:
    """The PID of a program of the node, as the machine numbers it."""
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            name = (path / "comm").read_text().strip()
            if str((path / "ns" / "pid").readlink()) == namespace and name == program[:_COMM]:
                return int(path.name)
    raise AssertionError(f"{program} does not run: {processes(namespace)}")


def namespace_of(machine: Machine) -> str:
    return str(Path(f"/proc/{machine.node.pid}/ns/pid").readlink())


def placed(machine: Machine, body: dict[str, Any]) -> bool:
    """Whether a pod is for the node, in a dry run."""
    path = f"/api/v1/namespaces/{body['metadata']['namespace']}/pods"
    spec = machine.api.call("POST", path, body=body, query={"dryRun": "All"})["spec"]
    tolerated = any(each["key"] == files.TAINT for each in spec.get("tolerations") or ())
    assert tolerated == (spec.get("nodeSelector") == {"kubernetes.io/hostname": NODE})
    return tolerated


@pytest.mark.parametrize(
    ("namespace", "annotations", "spec"),
    [
        ("default", {}, {}),
        ("data", {}, {}),
        ("shop", {}, {"volumes": [{"name": "data", "csi": {"driver": "pd.csi.storage.gke.io"}}]}),
        ("shop", {}, {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "a"}}]}),
        ("shop", {}, {"nodeName": "gke-default-0"}),
        ("shop", {}, {"affinity": {"nodeAffinity": {}}}),
    ],
)
@pytest.mark.usefixtures("shop")
def test_pods_that_the_node_cannot_run_stay_on_nodes_of_kwok(
    machine: Machine, namespace: str, annotations: dict[str, str], spec: dict[str, Any]
) -> None:
    body = pod("web", "a:1")
    wait_for(lambda: placed(machine, body))  # the API server needs a moment for a new policy
    body["metadata"] |= {"namespace": namespace, "annotations": annotations}
    body["spec"] |= spec
    assert not placed(machine, body)


@pytest.fixture
def with_data(machine: Machine, shop: None) -> Iterator[str]:
    """The path of the facts of a namespace with data services, as the program creates them."""
    path = "/api/v1/namespaces/data/configmaps/platform"
    before = machine.api.call("GET", path)["data"]
    placement.install(machine.api, DataServices(ipaddress.IPv4Address("10.0.15.254"), ()), gated=False)
    machine.api.merge(path, {"data": FACTS})
    yield path
    placement.install(machine.api, None, gated=False)
    machine.api.merge(path, {"data": {**dict.fromkeys(FACTS), **before}})


def variables(machine: Machine, body: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The variables of the containers of a pod, by container, in a dry run."""
    spec = machine.api.call("POST", "/api/v1/namespaces/data/pods", body=body, query={"dryRun": "All"})["spec"]
    containers = [*spec["containers"], *(spec.get("initContainers") or ())]
    return {
        each["name"]: {pair["name"]: pair.get("value", "") for pair in each.get("env") or ()} for each in containers
    }


def test_pods_get_the_address_of_their_database_and_their_redis(machine: Machine, with_data: str) -> None:
    body = pod("web", "a:1")
    body["metadata"]["namespace"] = "data"
    [main] = body["spec"]["containers"]
    own = {**main, "name": "own", "env": [{"name": "DATABASE_URL", "value": "a"}, {"name": "B", "value": "c"}]}
    body["spec"] |= {"containers": [main, own], "initContainers": [{**main, "name": "first", "readinessProbe": None}]}
    redis = {"REDIS_URL": "redis://10.0.15.254:6379/0", "REDIS_AUTH": "", "REDIS_CA": ""}
    every = {"DATABASE_URL": "postgresql://stock-sql%40acme.iam@10.0.15.254:3307/stock", **redis}
    expected = {"main": every, "first": every, "own": {"DATABASE_URL": "a", "B": "c", **redis}}
    wait_for(lambda: variables(machine, body) == expected, lambda: variables(machine, body))
    assert placed(machine, body)
    machine.api.merge(with_data, {"data": {**dict.fromkeys(FACTS), "A": "b"}})
    wait_for(lambda: variables(machine, body) == {"main": {}, "first": {}, "own": {"DATABASE_URL": "a", "B": "c"}})


def test_pods_with_a_database_of_mysql_and_jobs_that_give_rights_stay_on_nodes_of_kwok(
    machine: Machine, with_data: str
) -> None:
    body = pod("web", "a:1")
    body["metadata"]["namespace"] = "data"
    wait_for(lambda: placed(machine, body))
    body["metadata"]["labels"] = {COMPONENT_LABEL: COMPONENT}
    assert not placed(machine, body)
    body["metadata"]["labels"] = {COMPONENT_LABEL: "web"}
    assert placed(machine, body)
    machine.api.merge(with_data, {"data": {"DATABASE_USER": "stock-sql"}})
    wait_for(lambda: not placed(machine, body))


@pytest.mark.usefixtures("shop")
def test_a_restricted_pod_runs_answers_and_is_in_the_control_group_of_the_node(machine: Machine) -> None:
    body = pod("web", f"{HOST}/p/services/web:1")
    machine.api.call("POST", "/api/v1/namespaces/shop/pods", body=body)
    wait_for(lambda: is_ready(machine, "web"), lambda: read(machine, "web")["status"])
    assert answer(machine, "web") == http.client.OK
    uid = read(machine, "web")["metadata"]["uid"]
    [limit] = [
        path.read_text().strip()
        for name in ("memory.limit_in_bytes", "memory.max")
        for path in Path("/sys/fs/cgroup").glob(f"**/{machine.node.control_group}/kubepods/**/pod{uid}/{name}")
    ]
    assert limit == str(64 << 20)
    assert replace(Footprint.of_machine(machine.node), control_groups=machine.before.control_groups) == machine.before


@pytest.mark.usefixtures("shop")
def test_logs_and_commands_reach_the_pod_through_the_api_server(machine: Machine) -> None:
    wait_for(lambda: restarted(machine))
    printed = pod_client.log(machine.fleet.kubeconfig(machine.cluster), "shop", "web")
    assert '"GET / HTTP/1.1" 200' in printed
    output = execute(machine, "web", "sh", "-c", "id -u; touch /file")
    assert "1000\n" in output
    assert "Read-only file system" in output


def execute(machine: Machine, pod: str, *words: str) -> str:
    """What a command in a pod prints."""
    return pod_client.execute(machine.fleet.kubeconfig(machine.cluster), "shop", pod, *words)[1]


@pytest.mark.usefixtures("shop")
def test_a_pod_reaches_a_service_by_its_names_and_its_address(machine: Machine) -> None:
    wait_for(lambda: restarted(machine))
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    body = {"metadata": {"name": "store"}, "spec": spec}
    address = machine.api.call("POST", "/api/v1/namespaces/shop/services", body=body)["spec"]["clusterIP"]
    labels = {"metadata": {"labels": {"app": "web"}}}
    assert "refused" in fetched(machine, address)  # no pod has the label
    machine.api.call("PATCH", "/api/v1/namespaces/shop/pods/web", body=labels, content="application/merge-patch+json")
    for host in (address, "store", "store.shop", "store.shop.svc.cluster.local"):
        wait_for(lambda host=host: fetched(machine, host) == "200\n", lambda host=host: fetched(machine, host))
    for host in ("store.data", "example.com"):
        assert "name resolution" in fetched(machine, host) or "not known" in fetched(machine, host)


def fetched(machine: Machine, host: str, source: str = "web") -> str:
    """The HTTP status that a pod gets from a host, or why it gets none."""
    script = f"""
import urllib.request
try:
    print(urllib.request.urlopen("http://{host}/", timeout=5).status)
except OSError as error:
    print(error)
"""
    return execute(machine, source, "python3", "-c", script)


@pytest.mark.usefixtures("shop")
def test_network_policies_hold(machine: Machine) -> None:
    """What a policy refuses is not reached, and what it permits is: another pod, the DNS server, what is outside."""
    wait_for(lambda: restarted(machine))
    machine.api.call("POST", "/api/v1/namespaces/shop/pods", body=pod("client", f"{HOST}/p/services/web:1"))
    wait_for(lambda: is_ready(machine, "client"), lambda: messages(machine, "client"))
    web, metadata = f"{read(machine, 'web')['status']['podIP']}:8080", "169.254.169.254"

    def reached(*hosts: str) -> list[str]:
        return [host for host in hosts if fetched(machine, host, "client") == "200\n"]

    network.add_bridge(machine.node.pid, "metadata", ipaddress.IPv4Interface((metadata, 32)))
    with network.listen(machine.node.pid, metadata, 80) as server, serving(server):
        wait_for(lambda: reached(metadata, web, "store") == [metadata, web, "store"])
        pods = {"to": [{"podSelector": {}}]}
        with policy(machine, "egress", pods):
            wait_for(lambda: reached(metadata, web, "store") == [web])
        names = {"to": [{"ipBlock": {"cidr": f"{services.DNS}/32"}}], "ports": [{"port": 53, "protocol": "UDP"}]}
        with policy(machine, "egress", pods, names):
            wait_for(lambda: reached(metadata, web, "store") == [web, "store"])
    with policy(machine, "ingress", {"from": [{"podSelector": {"matchLabels": {"app": "nothing"}}}]}):
        wait_for(lambda: reached(web) == [])
        assert answer(machine, "web") == http.client.OK  # programs of the node reach all pods
    for port, expected in ((8080, [web]), (8081, [])):
        with policy(machine, "ingress", {"from": [{"podSelector": {}}], "ports": [{"port": port}]}):
            wait_for(lambda expected=expected: reached(web) == expected)
    machine.api.call("DELETE", "/api/v1/namespaces/shop/pods/client")


@contextmanager
def policy(machine: Machine, direction: str, *rules: dict[str, Any]) -> Generator[None]:
    """A policy for all pods of the namespace, for a time."""
    spec = {"podSelector": {}, "policyTypes": [direction.title()], direction: [*rules]}
    path = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies"
    machine.api.call("POST", path, body={"metadata": {"name": direction}, "spec": spec})
    try:
        yield
    finally:
        machine.api.call("DELETE", f"{path}/{direction}")


@contextmanager
def serving(listener: socket.socket) -> Generator[None]:
    """A web server on a socket."""
    with http.server.HTTPServer(("", 0), http.server.SimpleHTTPRequestHandler, bind_and_activate=False) as server:
        server.socket.close()
        server.socket = listener
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.usefixtures("shop")
def test_a_container_that_takes_more_memory_than_its_limit_is_killed(machine: Machine) -> None:
    body = pod("greedy", f"{HOST}/p/services/web:1")
    body["spec"] |= {"restartPolicy": "Never"}
    body["spec"]["containers"][0]["command"] = ["python3", "-c", "len(bytearray(200 << 20))"]
    machine.api.call("POST", "/api/v1/namespaces/shop/pods", body=body)
    wait_for(lambda: read(machine, "greedy")["status"]["phase"] == "Failed", lambda: read(machine, "greedy")["status"])
    [state] = read(machine, "greedy")["status"]["containerStatuses"]
    assert state["state"]["terminated"]["reason"] == "OOMKilled"
    machine.api.call("DELETE", "/api/v1/namespaces/shop/pods/greedy")


@pytest.mark.usefixtures("shop")
def test_a_pod_of_a_higher_priority_takes_the_place_of_a_lower_one(machine: Machine) -> None:
    """Each asks for more than half of the node's memory."""
    memory = machine.api.call("GET", f"/api/v1/nodes/{NODE}")["status"]["allocatable"]["memory"]
    half = f"{int(memory.removesuffix('Ki')) * 6 // 10}Ki"
    for name, value in (("low", 10), ("high", 1000)):
        priority = {"metadata": {"name": name}, "value": value}
        machine.api.call("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", body=priority)
        body = pod(name, f"{HOST}/p/services/web:1")
        body["spec"] |= {"priorityClassName": name}
        body["spec"]["containers"][0]["resources"] = {"requests": {"memory": half}, "limits": {"memory": half}}
        machine.api.call("POST", "/api/v1/namespaces/shop/pods", body=body)
        wait_for(lambda name=name: is_ready(machine, name), lambda name=name: messages(machine, name))
    assert any("Preempted" in message for message in messages(machine, "low")), messages(machine, "low")
    machine.api.call("DELETE", "/api/v1/namespaces/shop/pods/high")


@pytest.mark.usefixtures("shop")
def test_the_node_has_the_size_of_the_pools_whatever_the_kubelet_reports(machine: Machine) -> None:
    path = f"/api/v1/nodes/{NODE}"
    before = machine.api.call("GET", path)
    sizes = capacity.of_pools([Pool("services", "e2-standard-32", ("europe-west1-b",), 1, 8)])
    capacity.resize(machine.api, [Pool("services", "e2-standard-32", ("europe-west1-b",), 1, 8)])
    status = machine.api.call("GET", path)["status"]
    assert status["allocatable"].items() >= sizes.items()
    assert before["status"]["allocatable"]["cpu"] != status["allocatable"]["cpu"]
    reported = heartbeat(status)
    wait_for(lambda: heartbeat(machine.api.call("GET", path)["status"]) != reported)
    assert machine.api.call("GET", path)["status"]["allocatable"] == status["allocatable"]
    body = pod("large", f"{HOST}/p/services/web:1")
    body["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "200"}, "limits": {"memory": "64Mi"}}
    machine.api.call("POST", "/api/v1/namespaces/shop/pods", body=body)
    wait_for(lambda: is_ready(machine, "large"), lambda: messages(machine, "large"))
    machine.api.call("DELETE", "/api/v1/namespaces/shop/pods/large")


def heartbeat(status: dict[str, Any]) -> str:
    """When the kubelet last reported."""
    [ready] = [each for each in status["conditions"] if each["type"] == "Ready"]
    return str(ready["lastHeartbeatTime"])


@pytest.mark.usefixtures("shop")
def test_a_node_without_the_right_to_read_pulls_no_image(machine: Machine) -> None:
    machine.may_read("p/others")
    body = pod("forbidden", f"{HOST}/p/services/web:1")
    body["spec"]["containers"][0]["imagePullPolicy"] = "Always"
    machine.api.call("POST", "/api/v1/namespaces/shop/pods", body=body)
    denied = 'Permission "artifactregistry.repositories.downloadArtifacts" denied on resource'
    wait_for(lambda: any(denied in why for why in reasons(machine)), lambda: messages(machine, "forbidden"))
    machine.may_read("p/services")
    wait_for(lambda: is_ready(machine, "forbidden"), lambda: read(machine, "forbidden")["status"])
    machine.api.call("DELETE", "/api/v1/namespaces/shop/pods/forbidden")


@pytest.mark.usefixtures("shop")
def test_a_pod_waits_for_a_secret_that_it_may_not_read_and_then_has_its_value(machine: Machine) -> None:
    place = machine.api.place("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass")
    mounted = json.dumps([{"resourceName": VERSION, "path": "api-key"}])
    spec = {"provider": "gke", "parameters": {"secrets": mounted}}
    body = {"apiVersion": "secrets-store.csi.x-k8s.io/v1", "kind": "SecretProviderClass", "spec": spec}
    machine.api.create(place, {**body, "metadata": {"name": "keys", "namespace": "shop"}}, manager="test")
    why = f"Permission 'secretmanager.versions.access' denied for resource '{VERSION}' (or it may not exist)."
    answer_secret(machine, {"refusal": "PERMISSION_DENIED", "message": why})
    machine.api.call("POST", "/api/v1/namespaces/shop/pods", body=with_secret("keeper"))
    wait_for(
        lambda: any(line.startswith("shop/keeper: FailedMount: ") and why in line for line in reasons(machine)),
        lambda: messages(machine, "keeper"),
    )
    answer_secret(machine, {"name": VERSION, "data": base64.b64encode(SECRET).decode()})
    wait_for(lambda: is_ready(machine, "keeper"), lambda: messages(machine, "keeper"))
    assert execute(machine, "keeper", "cat", "/run/keys/api-key") == SECRET.decode()
    assert " /run/keys tmpfs ro," in execute(machine, "keeper", "cat", "/proc/mounts")
    assert files_with(SECRET, machine.node.folder) == []
    machine.secrets.with_name("copy").write_bytes(SECRET)
    assert files_with(SECRET, machine.secrets.parent) == [str(machine.secrets.with_name("copy"))]


@pytest.mark.usefixtures("shop")
def test_a_pod_without_its_secret_provider_class_waits_and_says_which(machine: Machine) -> None:
    machine.start()
    body = with_secret("lost")
    body["spec"]["volumes"][-1]["csi"]["volumeAttributes"]["secretProviderClass"] = "nothing"
    machine.api.call("POST", "/api/v1/namespaces/shop/pods", body=body)
    why = 'secretproviderclasses.secrets-store.csi.x-k8s.io "nothing" not found'
    wait_for(
        lambda: any(line.startswith("shop/lost: FailedMount: ") and why in line for line in reasons(machine)),
        lambda: messages(machine, "lost"),
    )
    machine.api.call("DELETE", "/api/v1/namespaces/shop/pods/lost")


@pytest.mark.usefixtures("shop")
def test_a_killed_driver_of_secrets_ends_the_node_and_its_pods_have_their_secrets_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.start()
    wait_for(lambda: is_ready(machine, "keeper"), lambda: messages(machine, "keeper"))
    namespace = namespace_of(machine)
    os.kill(number_of(namespace, "secrets-store"), signal.SIGKILL)
    wait_for(lambda: not processes(namespace) and not machine.node.daemon.alive(), lambda: processes(namespace))
    assert files_with(SECRET, machine.node.folder) == []
    monkeypatch.setattr(secrets, "SECRET_ROTATION_SECONDS", 1)
    machine.start()
    wait_for(lambda: restarted(machine, "keeper"), lambda: read(machine, "keeper")["status"])
    assert execute(machine, "keeper", "cat", "/run/keys/api-key") == SECRET.decode()
    answer_secret(machine, {"name": VERSION, "data": base64.b64encode(b"the-next-value").decode()})
    wait_for(lambda: refreshed(machine, "keeper") == "the-next-value")
    machine.api.call("DELETE", "/api/v1/namespaces/shop/pods/keeper")


def refreshed(machine: Machine, name: str) -> str:
    """The secret of a pod that has just changed: the kubelet looks at a pod that does not change once in a minute."""
    annotations = {"looked-at": str(time.monotonic())}
    machine.api.merge(f"/api/v1/namespaces/shop/pods/{name}", {"metadata": {"annotations": annotations}})
    return execute(machine, name, "cat", "/run/keys/api-key")


def answer_secret(machine: Machine, answer: dict[str, str]) -> None:
    """What pods with the account `default` of the namespace get for the version."""
    machine.secrets.write_text(json.dumps({f"system:serviceaccount:shop:default {VERSION}": answer}))


def with_secret(name: str) -> dict[str, Any]:
    """A pod with a volume of Secret Manager."""
    body = pod(name, f"{HOST}/p/services/web:1")
    attributes = {"secretProviderClass": "keys"}
    source = {"driver": CSI_DRIVER, "readOnly": True, "volumeAttributes": attributes}
    body["spec"]["volumes"].append({"name": "keys", "csi": source})
    mount = {"name": "keys", "mountPath": "/run/keys", "readOnly": True}
    body["spec"]["containers"][0]["volumeMounts"].append(mount)
    return body


def files_with(content: bytes, folder: Path) -> list[str]:
    """The files below a folder that contain something, as the machine sees them; some may be deleted meanwhile."""
    command = ["grep", "--recursive", "--devices=skip", "--files-with-matches", "--fixed-strings", content, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()


def reasons(machine: Machine) -> list[str]:
    """Why pods do not run, as `atwork sandbox status` shows it."""
    return waiting.reasons(machine.api)


def test_a_node_reaches_no_other_port_of_the_machine(machine: Machine) -> None:
    machine.start()
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(ConnectionRefusedError):
        network.connect(machine.node.pid, listener.getsockname()[1])
    port = int(machine.fleet.registry.endpoints("", ()).proxy.rpartition(":")[2])
    with network.connect(machine.node.pid, port) as connection:
        connection.sendall(b"CONNECT registry-1.docker.io:443 HTTP/1.1\r\nHost: registry-1.docker.io:443\r\n\r\n")
        assert b"403 registry-1.docker.io is no endpoint of the sandbox" in connection.recv(100)


def test_a_pod_whose_image_is_nowhere_says_so(machine: Machine) -> None:
    machine.start()
    body = pod("absent", "europe-docker.pkg.dev/p/services/absent:1")
    machine.api.call("POST", "/api/v1/namespaces/shop/pods", body=body)

    def waits() -> bool:
        states = read(machine, "absent")["status"].get("containerStatuses") or ()
        return any((each["state"].get("waiting") or {}).get("reason") == "ImagePullBackOff" for each in states)

    wait_for(waits, lambda: read(machine, "absent")["status"])
    lines = list(status.lines(machine.fleet))
    assert lines[0] == f"one: API server {machine.cluster.server}: running"
    assert re.match(r"one: pods: \d on the node real-0, which runs them; 0 on other nodes", lines[1])
    [line] = [line for line in lines if "absent" in line]
    assert re.match(r"one: shop/absent: ImagePullBackOff: .*services/absent:1: not found", line)
    machine.api.call("DELETE", "/api/v1/namespaces/shop/pods/absent")


@pytest.mark.parametrize(
    ("program", "stopped"),
    [
        ("kubelet", True),
        ("containerd", False),
        ("kube-proxy", False),
        ("coredns", False),
        ("network-policies", False),
        ("agent", True),
    ],
)
def test_a_killed_program_ends_the_node_and_the_next_command_removes_what_is_left(
    machine: Machine, program: str, *, stopped: bool
) -> None:
    machine.start()
    wait_for(lambda: is_ready(machine, "web"), lambda: read(machine, "web")["status"])
    namespace = namespace_of(machine)
    agent = machine.node.daemon.number
    assert agent is not None
    os.kill(agent if program == "agent" else number_of(namespace, program), signal.SIGKILL)
    wait_for(lambda: not processes(namespace) and not machine.node.daemon.alive(), lambda: processes(namespace))
    if stopped:
        machine.node.stop()
        assert Footprint.of_machine(machine.node) == machine.before
    machine.start()
    wait_for(lambda: restarted(machine), lambda: read(machine, "web")["status"])


@pytest.mark.usefixtures("shop")
def test_a_killed_registry_is_reported_and_the_next_command_starts_it_with_its_images(machine: Machine) -> None:
    registry = machine.fleet.registry.daemon
    assert registry.number is not None
    os.kill(registry.number, signal.SIGKILL)
    wait_for(lambda: not registry.alive())
    assert "stopped: registry; the next command starts what" in next(iter(status.lines(machine.fleet)))
    assert not machine.fleet.running(machine.cluster)
    machine.fleet.node(machine.cluster).remove()  # with the image that it pulled
    machine.start()
    wait_for(lambda: restarted(machine), lambda: read(machine, "web")["status"])


def restarted(machine: Machine, name: str = "web") -> bool:
    """Whether the pod answers again; the API server shows it as ready until the new kubelet looks at it."""
    try:
        return answer(machine, name) == http.client.OK
    except (OSError, http.client.HTTPException):
        return False


def test_a_stopped_node_leaves_nothing(machine: Machine) -> None:
    machine.start()
    wait_for(lambda: restarted(machine))
    namespace = namespace_of(machine)
    assert len(processes(namespace)) > 3
    assert machine.node.control_group in str(Footprint.of_machine(machine.node))
    machine.node.stop()
    assert processes(namespace) == []
    left = Footprint.of_machine(machine.node)
    assert not any(machine.node.control_group in group for group in left.control_groups)
    assert left == machine.before
