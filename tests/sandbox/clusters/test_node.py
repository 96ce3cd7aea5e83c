"""A node that runs pods: kubelet, containerd and runc next to a real control plane, and what they leave on the machine."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from atwork.containers import network
from atwork.containers.stand_ins import stand_in
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.choice import Choice, ClusterKind
from atwork.sandbox.clusters.credentials import NODE
from atwork.sandbox.clusters.daemon import Daemon, free_port
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.clusters.node import files
from atwork.sandbox.clusters.node.real_node import RealNode
from atwork.toolchain import programs

pytestmark = [pytest.mark.usefixtures("containers"), pytest.mark.engine]

_SECONDS = 120
"""More than any step takes on a busy machine."""


@dataclass(frozen=True)
class Machine:
    """A cluster with a node, and the registry of its images."""

    node: RealNode
    api: Api
    registry: str
    start: Callable[[], None]
    before: Footprint


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    console, folder = Console(stderr=True), tmp_path_factory.mktemp("node")
    crane, _ = programs.registry(console)
    port = free_port()
    (folder / "images").mkdir()
    registry = Daemon("registry", folder)
    registry.start([str(crane), "registry", "serve", f"--address=127.0.0.1:{port}", f"--disk={folder / 'images'}"])
    fleet = Fleet(folder / "clusters", folder / "bin", Choice(ClusterKind.real), console)
    cluster = fleet.reserve("projects/p/locations/europe-west1/clusters/one", "one")
    try:
        fleet.start(cluster)
        api = Api(fleet.kubeconfig(cluster))
        layout = stand_in("python", console)
        wait_for(lambda: b"serving" in registry.log.read_bytes(), registry.last_output)
        push = [str(crane), "push", "--insecure", str(layout), f"127.0.0.1:{port}/p/services/web:1"]
        subprocess.run(push, capture_output=True, check=True)
        node = RealNode(folder / "clusters" / cluster.key / "node")
        kubelet, containerd = programs.node(console)

        def start() -> None:
            node.start(fleet.node_access(cluster), port, kubelet, containerd)

        yield Machine(node, api, f"127.0.0.1:{port}", start, Footprint.of_machine())
    finally:
        RealNode(folder / "clusters" / cluster.key / "node").stop()
        fleet.stop()
        registry.stop()


def wait_for(condition: Callable[[], bool], what: Callable[[], object] = lambda: "") -> None:
    end = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.1)


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
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "fsGroup": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "nodeSelector": {"kubernetes.io/hostname": NODE},
            "tolerations": [{"key": files.TAINT, "operator": "Exists"}],
            "containers": [container],
            "volumes": [{"name": "data", "emptyDir": {}}],
            "terminationGracePeriodSeconds": 1,
        },
    }


def read(machine: Machine, name: str) -> dict[str, Any]:
    return machine.api.call("GET", f"/api/v1/namespaces/default/pods/{name}")


def messages(machine: Machine, name: str) -> list[str]:
    """The messages of a pod's events, which are written after its status."""
    path = "/api/v1/namespaces/default/events"
    return [each["message"] for each in machine.api.all(path, fieldSelector=f"involvedObject.name={name}")]


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
    """What a node could change on the machine, in addition to processes."""

    mounts: str
    interfaces: frozenset[str]
    control_groups: frozenset[str]
    rules: str
    kernel: tuple[str, ...]

    @classmethod
    def of_machine(cls) -> Footprint:
        return cls(
            Path("/proc/self/mounts").read_text(),
            frozenset(path.name for path in Path("/sys/class/net").iterdir()),
            frozenset(str(path) for path in Path("/sys/fs/cgroup").glob("*/*") if path.is_dir()),
            _rules(),
            tuple(Path("/proc/sys", path).read_text() for path in files.TUNABLES),
        )


def _rules() -> str:
    """The tables of iptables in use, and their rules where the program to list them is installed."""
    program = shutil.which("iptables-save")
    listed = subprocess.run([program], capture_output=True, text=True, check=True).stdout if program else ""
    lines = [line for line in listed.splitlines() if not line.startswith(("#", ":"))]  # without dates and counters
    return Path("/proc/net/ip_tables_names").read_text() + "\n".join(lines)


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
            if str((path / "ns" / "pid").readlink()) == namespace and (path / "comm").read_text().strip() == program:
                return int(path.name)
    raise AssertionError(f"{program} does not run: {processes(namespace)}")


def namespace_of(machine: Machine) -> str:
    return str(Path(f"/proc/{machine.node.pid}/ns/pid").readlink())


def test_a_restricted_pod_runs_answers_and_is_in_the_control_group_of_the_node(machine: Machine) -> None:
    machine.start()
    wait_for(lambda: machine.api.get(machine.api.place("v1", "ServiceAccount"), "default", "default") is not None)
    body = pod("web", f"{machine.registry}/p/services/web:1")
    machine.api.call("POST", "/api/v1/namespaces/default/pods", body=body)
    wait_for(lambda: is_ready(machine, "web"), lambda: read(machine, "web")["status"])
    assert answer(machine, "web") == http.client.OK
    uid = read(machine, "web")["metadata"]["uid"]
    [limit] = [
        path.read_text().strip()
        for name in ("memory.limit_in_bytes", "memory.max")
        for path in Path("/sys/fs/cgroup").glob(f"**/{machine.node.control_group}/kubepods/**/pod{uid}/{name}")
    ]
    assert limit == str(64 << 20)
    assert replace(Footprint.of_machine(), control_groups=machine.before.control_groups) == machine.before


def test_a_node_reaches_no_other_port_of_the_machine(machine: Machine) -> None:
    machine.start()
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(ConnectionRefusedError):
        network.connect(machine.node.pid, listener.getsockname()[1])
    with network.connect(machine.node.pid, int(machine.registry.rpartition(":")[2])) as connection:
        connection.sendall(b"GET /v2/ HTTP/1.0\r\n\r\n")
        assert b" 200 OK" in connection.recv(100)


def test_a_pod_whose_image_is_nowhere_says_so(machine: Machine) -> None:
    machine.start()
    body = pod("absent", "europe-docker.pkg.dev/p/services/absent:1")
    machine.api.call("POST", "/api/v1/namespaces/default/pods", body=body)

    def waits() -> bool:
        states = read(machine, "absent")["status"].get("containerStatuses") or ()
        return any((each["state"].get("waiting") or {}).get("reason") == "ImagePullBackOff" for each in states)

    wait_for(waits, lambda: read(machine, "absent")["status"])
    wait_for(
        lambda: any("services/absent:1: not found" in message for message in messages(machine, "absent")),
        lambda: messages(machine, "absent"),
    )
    machine.api.call("DELETE", "/api/v1/namespaces/default/pods/absent")


@pytest.mark.parametrize(("program", "stopped"), [("kubelet", True), ("containerd", False), ("agent", True)])
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
        assert Footprint.of_machine() == machine.before
    machine.start()
    wait_for(lambda: restarted(machine), lambda: read(machine, "web")["status"])


def restarted(machine: Machine) -> bool:
    """Whether the pod answers again; the API server shows it as ready until the new kubelet looks at it."""
    try:
        return answer(machine, "web") == http.client.OK
    except (OSError, http.client.HTTPException):
        return False


def test_a_stopped_node_leaves_nothing(machine: Machine) -> None:
    machine.start()
    wait_for(lambda: restarted(machine))
    namespace = namespace_of(machine)
    assert len(processes(namespace)) > 3
    assert machine.node.control_group in str(Footprint.of_machine())
    machine.node.stop()
    assert processes(namespace) == []
    left = Footprint.of_machine()
    assert not any(machine.node.control_group in group for group in left.control_groups)
    assert left == machine.before
