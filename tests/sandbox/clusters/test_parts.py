"""Real clusters, without a cluster: choice, credentials, daemons, machines, node pools."""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import subprocess
import sys
import time
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from atwork.errors import SandboxError, UsageError
from atwork.sandbox.clusters import certificates, credentials, daemon, external, stages
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.choice import Choice, ClusterKind, NodeKind, choose, contexts_of
from atwork.sandbox.clusters.daemon import Daemon, free_port
from atwork.sandbox.clusters.machines import capacity, size
from atwork.sandbox.clusters.node import control_groups, files, services
from atwork.sandbox.clusters.node.capacity import of_pools, resize
from atwork.sandbox.clusters.node.data_services import DataServices
from atwork.sandbox.clusters.node.machine import check_node
from atwork.sandbox.clusters.node.registry import RegistryAccess
from atwork.sandbox.clusters.node_pools import Pool, pools_of
from atwork.toolchain import machine as toolchain_machine
from infra.config import read_all

REAL_NODES = Choice(ClusterKind.real, {}, NodeKind.real)
ROOT = Path(__file__).parents[3]
POOL = {
    "name": "agents-1a2b",
    "autoscaling": {"totalMinNodeCount": 0, "totalMaxNodeCount": 8},
    "nodeConfig": {
        "machineType": "e2-standard-8",
        "spot": True,
        "labels": {"atwork.dev/pool": "agents"},
        "taints": [{"key": "atwork.dev/pool", "value": "agents", "effect": "NO_SCHEDULE"}],
    },
}


def test_a_choice_is_saved_and_cannot_change_until_the_sandbox_is_empty(tmp_path: Path) -> None:
    assert Choice.kept(tmp_path) is None
    Choice(ClusterKind.real, {"ci": "kind-ci"}).keep(tmp_path, empty=True)
    assert Choice.kept(tmp_path) == Choice(ClusterKind.real, {"ci": "kind-ci"})
    Choice(ClusterKind.real, {"ci": "kind-ci"}).keep(tmp_path, empty=False)
    with pytest.raises(SandboxError, match=r"brought up with real clusters.*--clusters simulated"):
        Choice(ClusterKind.simulated).keep(tmp_path, empty=False)
    Choice(ClusterKind.simulated).keep(tmp_path, empty=True)
    assert Choice.kept(tmp_path) == Choice()


def test_no_client_and_no_listener_takes_the_port_of_a_stopped_program() -> None:
    range_of_system = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(range_of_system.read_text().split()[0]) if range_of_system.exists() else 49_152
    assert all(free_port() < lowest for _ in range(20))


def test_a_port_that_is_taken_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        taken = listener.getsockname()[1]
        monkeypatch.setattr(daemon, "_PORTS", range(taken, taken + 1))
        with pytest.raises(SandboxError, match=f"no port of {taken} to {taken} is free"):
            free_port()


def test_a_sandbox_without_a_choice_has_simulated_clusters(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="brought up with simulated clusters"):
        Choice(ClusterKind.real).keep(tmp_path, empty=False)


def test_a_damaged_choice_is_reported(tmp_path: Path) -> None:
    (tmp_path / "clusters.json").write_text('{"kind": "imagined"}')
    with pytest.raises(SandboxError, match=r"clusters\.json: damaged .*reset"):
        Choice.kept(tmp_path)


@pytest.mark.parametrize("word", ["ci", "=kind", "ci="])
def test_a_context_names_its_environment(word: str) -> None:
    assert contexts_of(["ci=kind-ci"]) == {"ci": "kind-ci"}
    with pytest.raises(UsageError, match=f"--context {word}: write ENVIRONMENT=CONTEXT"):
        contexts_of([word])


def test_a_daemon_is_known_by_its_pid_file_and_no_other_process_is_taken_for_it(tmp_path: Path) -> None:
    daemon = Daemon("sleeper", tmp_path)
    assert not daemon.alive()
    daemon.start(["/bin/sh", "-c", "echo begun; exec sleep 60"])
    try:
        assert Daemon("sleeper", tmp_path).alive()
        while daemon.last_output() != "begun":  # the daemon runs until it is stopped below
            time.sleep(0.01)
        process = json.loads((tmp_path / "sleeper.pid").read_text())
        daemon.start(["/bin/sh", "-c", "exit 1"])  # it already runs
        assert json.loads((tmp_path / "sleeper.pid").read_text()) == process
        (tmp_path / "sleeper.pid").write_text(json.dumps({"pid": os.getpid(), "born": process["born"]}))
        assert not daemon.alive()
        daemon.stop()  # kills nothing: the PID belongs to another process
        assert not (tmp_path / "sleeper.pid").exists()
        (tmp_path / "sleeper.pid").write_text(json.dumps(process))
    finally:
        daemon.stop()
    assert not daemon.alive()
    assert daemon.last_output() == "begun"
    with pytest.raises(ProcessLookupError):
        os.kill(process["pid"], 0)


def test_a_daemon_that_ends_by_itself_is_not_alive(tmp_path: Path) -> None:
    daemon = Daemon("short", tmp_path)
    daemon.start(["/bin/sh", "-c", "exit 3"])
    while daemon.alive():
        time.sleep(0.01)


def test_only_gated_pods_wait_for_the_gate() -> None:
    def waiting(*, gated: bool) -> dict[str, bool]:
        documents = yaml.safe_load_all(stages.text(gated=gated))
        return {stage["metadata"]["name"]: "may-start" in str(stage["spec"]["selector"]) for stage in documents}

    assert set(waiting(gated=False).values()) == {False}
    assert {name for name, waits in waiting(gated=True).items() if waits} == {"pod-ready", "pod-succeeded"}
    assert waiting(gated=True).keys() == waiting(gated=False).keys()


def test_the_plugin_answers_only_for_clusters_of_the_sandbox(tmp_path: Path) -> None:
    statuses = {"https://127.0.0.1:6443": {"token": "first"}, "https://127.0.0.1:7443": {"token": "second"}}
    credentials.write_plugin(tmp_path / "shared", tmp_path / "bin", statuses)

    def plugin(server: str) -> subprocess.CompletedProcess[str]:
        info = json.dumps({"spec": {"cluster": {"server": server}}})
        return subprocess.run(
            [str(tmp_path / "bin" / credentials.PLUGIN)],
            env={**os.environ, "KUBERNETES_EXEC_INFO": info},
            capture_output=True,
            text=True,
            check=False,
        )

    answer = json.loads(plugin("https://127.0.0.1:7443").stdout)
    assert answer["kind"] == "ExecCredential"
    assert answer["status"] == {"token": "second"}
    refused = plugin("https://gke-1.europe-west1-b.gke.goog")
    assert refused.returncode == 1
    assert "no cluster of the sandbox" in refused.stderr
    assert (tmp_path / "shared" / "answers.json").stat().st_mode & 0o077 == 0


def test_keys_and_tokens_are_created_once_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    certificates.write(tmp_path)
    credentials.write(tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    certificates.write(tmp_path)
    credentials.write(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
    assert [path.name for path in tmp_path.iterdir() if path.stat().st_mode & 0o077] == []
    users = (credentials.ENGINEER, "system:kube-scheduler", "kwok")
    assert len({credentials.token(tmp_path, user) for user in users}) == len(users)
    encryption = yaml.safe_load((tmp_path / "encryption.yaml").read_text())["resources"][0]
    assert encryption["resources"] == ["secrets"]
    assert "secretbox" in encryption["providers"][0]


@pytest.mark.parametrize(
    ("machine", "cpus", "gib"),
    [
        ("e2-standard-8", 8, 32),
        ("e2-medium", 2, 4),
        ("n2-highmem-16", 16, 128),
        ("e2-custom-6-12288", 6, 12),
        ("n1-standard-4", 4, 15),
        ("c3-highcpu-8", 8, 16),
        ("unknown", 4, 16),
    ],
)
def test_the_size_of_a_machine(machine: str, cpus: int, gib: float) -> None:
    assert size(machine) == (cpus, gib)
    assert capacity(machine)["memory"] == f"{int(gib * 1024)}Mi"


def test_databases_of_a_node_have_an_address_in_the_range_of_the_nodes_of_the_environment() -> None:
    here = DataServices.of(ROOT, "staging", "projects/p/locations/l/clusters/c")
    assert here is not None
    nodes = ipaddress.IPv4Network(read_all(ROOT / "stacks")["staging"].network.nodes)
    assert here.address in nodes
    assert here.address not in (nodes.network_address, nodes.broadcast_address)
    assert here.command[-2:] == (str(ROOT), "projects/p/locations/l/clusters/c")
    assert DataServices.of(ROOT, "elsewhere", "") is None


def test_the_node_that_runs_pods_has_the_size_of_all_pools_that_take_them() -> None:
    plain = Pool("services", "e2-standard-4", ("europe-west1-b",), 1, 6)
    small = Pool("system", "e2-standard-2", ("europe-west1-b",), 1, 3, disk_gb=50)
    tainted = replace(plain, name="agents", taints=({"key": "a", "value": "b", "effect": "NoSchedule"},))
    expected = {"cpu": f"{6 * 3920 + 3 * 1930}m", "memory": f"{6 * 13621 + 3 * 6248}Mi"}
    assert of_pools([plain, small, tainted]).items() >= expected.items()
    assert of_pools([tainted])["cpu"] == "0m"


class ApiWithNode:
    """An API server with the node that runs pods; it writes amounts in another form."""

    def __init__(self) -> None:
        self.node: dict[str, Any] = {"metadata": {}, "status": {"allocatable": {"cpu": "2"}}}
        self.applied: list[str] = []

    def place(self, _: str, kind: str) -> str:
        return kind

    def get(self, *_: str) -> dict[str, Any]:
        return self.node

    def apply(self, place: str, _: object, **__: object) -> None:
        self.applied.append(place)

    def merge(self, _: str, body: dict[str, Any]) -> dict[str, Any]:
        allocatable = body.get("status", {}).get("allocatable", {})
        self.node["status"]["allocatable"].update({name: f"{amount} or so" for name, amount in allocatable.items()})
        self.node["metadata"].update(body.get("metadata", {}))
        return self.node


def test_the_node_is_resized_when_pools_change_and_when_the_kubelet_reported_before_the_policy_was_in_force() -> None:
    api, pool = ApiWithNode(), Pool("services", "e2-standard-4", ("europe-west1-b",), 1, 6)
    policy = ["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"]
    for _ in range(2):
        resize(cast("Api", api), [pool])
    assert api.applied == policy
    api.node["status"]["allocatable"]["cpu"] = "2"
    for _ in range(2):
        resize(cast("Api", api), [pool])
    assert api.applied == policy * 2
    assert api.node["status"]["allocatable"]["cpu"] == "23520m or so"
    for _ in range(2):
        resize(cast("Api", api), [replace(pool, most=7)])
    assert api.applied == policy * 3
    resize(cast("Api", api), [])
    assert api.applied == policy * 3


def test_a_pool_has_the_settings_of_its_inputs() -> None:
    [(name, pool)] = pools_of([(POOL, "europe-west1-b")])
    assert (name, pool.least, pool.most, pool.zones) == ("agents-1a2b", 0, 8, ("europe-west1-b",))
    node = pool.node(3)
    assert node["metadata"]["name"] == "gke-agents-1a2b-3"
    labels = node["metadata"]["labels"]
    assert labels["atwork.dev/pool"] == "agents"
    assert labels["cloud.google.com/gke-spot"] == "true"
    assert labels["node.kubernetes.io/instance-type"] == "e2-standard-8"
    assert node["spec"]["taints"] == [{"key": "atwork.dev/pool", "value": "agents", "effect": "NoSchedule"}]
    assert (node["status"]["capacity"]["cpu"], node["status"]["allocatable"]["cpu"]) == ("8", "7910m")


def test_a_pool_matches_a_required_node_affinity() -> None:
    def refusal(*values: str) -> str:
        terms = [{"matchExpressions": [{"key": "atwork.dev/pool", "operator": "In", "values": list(values)}]}]
        required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
        tolerations = [{"operator": "Exists"}]
        return Pool.of(POOL, "europe-west1-b").refusal(
            {"affinity": {"nodeAffinity": required}, "tolerations": tolerations}
        )

    assert refusal("agents", "system") == ""
    assert refusal("system") == "its labels are not those of the pod's node affinity"


def test_nodes_with_gvisor_refuse_other_pods_and_a_preference_refuses_none() -> None:
    pool = Pool.of({**POOL, "nodeConfig": {"sandboxConfig": {"type": "GVISOR"}}}, "europe-west1-b")
    assert pool.node(0)["metadata"]["labels"]["sandbox.gke.io/runtime"] == "gvisor"
    assert pool.refusal({}) == "its taint sandbox.gke.io/runtime=gvisor:NoSchedule is not tolerated"
    assert pool.refusal({"runtimeClassName": "gvisor"}) == ""
    taint = {"key": "a", "value": "b", "effect": "PREFER_NO_SCHEDULE"}
    preferred = Pool.of({**POOL, "nodeConfig": {"taints": [taint]}}, "europe-west1-b")
    assert preferred.refusal({}) == ""
    assert preferred.refusal({"runtimeClassName": "gvisor"}) == "it has no gVisor"


def test_nodes_of_a_regional_cluster_are_in_all_zones() -> None:
    pool = Pool.of({"name": "p", "autoscaling": {"minNodeCount": 1, "maxNodeCount": 2}}, "europe-west1")
    assert (pool.least, pool.most) == (3, 6)
    zones = {pool.node(number)["metadata"]["labels"]["topology.kubernetes.io/zone"] for number in range(3)}
    assert zones == {"europe-west1-b", "europe-west1-c", "europe-west1-d"}


@pytest.mark.parametrize(
    ("selector", "tolerations", "suits"),
    [
        ({}, [], False),
        ({}, [{"key": "atwork.dev/pool", "value": "agents", "effect": "NoSchedule"}], True),
        ({}, [{"operator": "Exists"}], True),
        ({}, [{"key": "atwork.dev/pool", "operator": "Exists", "effect": "NoExecute"}], False),
        ({"atwork.dev/pool": "system"}, [{"operator": "Exists"}], False),
    ],
)
def test_a_pool_suits_pods_with_its_labels_and_taints(
    selector: dict[str, str], tolerations: list[dict[str, Any]], *, suits: bool
) -> None:
    pod = {"spec": {"nodeSelector": selector, "tolerations": tolerations}}
    assert Pool.of(POOL, "europe-west1-b").suits(pod) is suits


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "clusters": [
                    {
                        "name": "kind",
                        "cluster": {"server": "https://127.0.0.1:6443", "certificate-authority-data": "Q0E="},
                    },
                    {"name": "far", "cluster": {"server": "https://rancher.example.com/k8s/clusters/c-1"}},
                    {"name": "blind", "cluster": {"server": "https://127.0.0.1:1"}},
                ],
                "contexts": [
                    {"name": "kind-ci", "context": {"cluster": "kind", "user": "kind"}},
                    {"name": "kind-none", "context": {"cluster": "kind", "user": "nobody"}},
                    {"name": "far", "context": {"cluster": "far", "user": "kind"}},
                    {"name": "blind", "context": {"cluster": "blind", "user": "kind"}},
                ],
                "users": [
                    {"name": "kind", "user": {"client-certificate-data": "Q0VSVA==", "client-key-data": "S0VZ"}},
                    {"name": "nobody", "user": {}},
                ],
            }
        )
    )
    from kubernetes.config import kube_config

    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(path))
    return path


def test_an_external_cluster_is_read_from_the_users_kubeconfig(kubeconfig: Path) -> None:
    assert external.server("kind-ci") == "https://127.0.0.1:6443"
    assert external.access("kind-ci") == (b"CA", {"clientCertificateData": "CERT", "clientKeyData": "KEY"})
    assert json.loads(external.kubeconfig("kind-ci"))["current-context"] == "kind-ci"


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ("kind-ie", "has no context kind-ie; it has kind-ci"),
        ("kind-none", "neither a token nor a client certificate"),
        ("blind", "names no certificate-authority"),
    ],
)
def test_an_unusable_context_is_refused(kubeconfig: Path, context: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        external.access(context)


def test_an_address_in_another_format_than_a_gke_endpoint_is_refused(kubeconfig: Path) -> None:
    with pytest.raises(UsageError, match="is not https://HOST:PORT"):
        external.server("far")


def test_the_commands_do_not_import_the_client_of_kubernetes() -> None:
    """Its import takes half a second; only commands with real clusters need it."""
    code = "import sys; import atwork.cli, atwork.sandbox.commands; sys.exit('kubernetes.client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_new_program_gets_a_token_and_the_others_keep_theirs(tmp_path: Path) -> None:
    credentials.write(tmp_path)
    tokens = tmp_path / "tokens.csv"
    node = f"system:node:{credentials.NODE}"
    lines = tokens.read_text().splitlines(keepends=True)
    tokens.write_text("".join(line for line in lines if node not in line))
    with pytest.raises(KeyError):
        credentials.token(tmp_path, node)
    engineer = credentials.token(tmp_path, credentials.ENGINEER)
    credentials.write(tmp_path)
    assert credentials.token(tmp_path, node)
    assert credentials.token(tmp_path, credentials.ENGINEER) == engineer


def test_the_files_of_a_node_keep_its_programs_away_from_the_machine(tmp_path: Path) -> None:
    access = files.ApiAccess(
        "https://127.0.0.1:20001", "projects/p/locations/l/clusters/c", "{}", {services.PROXY: "{}"}, b"authority"
    )
    registry = RegistryAccess(20002, b"authority", "a-token")
    files.write(tmp_path, access, registry, name="n", group="atwork-1", runc="/usr/sbin/runc")
    kubelet = yaml.safe_load((tmp_path / "kubelet.yaml").read_text())
    assert (kubelet["cgroupRoot"], kubelet["protectKernelDefaults"]) == ("/atwork-1", True)
    containerd = tomllib.loads((tmp_path / "containerd.toml").read_text())
    assert containerd["version"] == 3
    folders = [containerd["root"], containerd["state"], containerd["plugins"]["io.containerd.internal.v1.opt"]["path"]]
    assert all(folder.startswith("/run/") for folder in folders)
    assert files.google_environment(20002)["HTTPS_PROXY"] == "http://127.0.0.1:20002"
    assert all((tmp_path / name).stat().st_mode & 0o777 == 0o600 for name in ("kubeconfig", "login.json"))


def test_a_machine_that_cannot_run_nodes_says_why_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(toolchain_machine, "missing", lambda _: ["runc is missing: run `make packages`"])
    with pytest.raises(SandboxError) as refused:
        check_node()
    assert str(refused.value) == (
        "nodes cannot run on this machine: they need root: run the command with sudo; runc is missing: run "
        "`make packages`; or leave out `--nodes real`: kwok then plays all nodes"
    )


def test_control_groups_that_cannot_be_written_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_groups, "_ROOT", tmp_path)
    assert control_groups.problem() == f"{tmp_path} has no control groups; mount them there"
    (tmp_path / "cgroup.controllers").touch()
    assert control_groups.problem() == ""
    monkeypatch.setattr(Path, "mkdir", lambda *_: (_ for _ in ()).throw(OSError(30, "Read-only file system")))
    assert "control groups cannot be created ([Errno 30] Read-only" in control_groups.problem()


@pytest.mark.parametrize(
    ("kept", "options", "expected"),
    [
        (None, (None, {}, NodeKind.real), Choice(ClusterKind.real, {}, NodeKind.real)),
        (None, (None, {}, NodeKind.simulated), Choice()),
        (REAL_NODES, (ClusterKind.real, {}, None), REAL_NODES),
        (REAL_NODES, (None, {}, NodeKind.simulated), Choice(ClusterKind.real)),
        (REAL_NODES, (ClusterKind.simulated, {}, None), Choice()),
        (Choice(), (None, {"ci": "kind-ci"}, None), Choice(ClusterKind.real, {"ci": "kind-ci"})),
    ],
)
def test_options_that_are_left_out_keep_the_choice(
    kept: Choice | None,
    options: tuple[ClusterKind | None, dict[str, str], NodeKind | None],
    expected: Choice,
) -> None:
    assert choose(kept, *options) == expected


@pytest.mark.parametrize("kept", [None, Choice()])
def test_real_nodes_need_real_clusters(kept: Choice | None) -> None:
    with pytest.raises(UsageError, match="--nodes real: nodes need real clusters"):
        choose(kept, ClusterKind.simulated, {}, NodeKind.real)


def test_nodes_cannot_change_until_the_sandbox_is_empty(tmp_path: Path) -> None:
    REAL_NODES.keep(tmp_path, empty=True)
    assert Choice.kept(tmp_path) == REAL_NODES
    with pytest.raises(SandboxError, match=r"real clusters and real nodes.*--clusters real --nodes simulated`"):
        Choice(ClusterKind.real).keep(tmp_path, empty=False)


def test_control_groups_are_removed_with_those_below_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cpu", "memory"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cgroup.procs").touch()
    monkeypatch.setattr(control_groups, "_ROOT", tmp_path)
    control_groups.create("atwork-1")
    (tmp_path / "memory" / "atwork-1" / "kubepods" / "pod1").mkdir(parents=True)
    control_groups.remove("atwork-1")
    assert sorted(path.name for path in tmp_path.glob("*/*")) == ["cgroup.procs"] * 2
    control_groups.remove("atwork-1")


def test_a_control_group_with_a_process_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cgroup.controllers").touch()  # version 2
    monkeypatch.setattr(control_groups, "_ROOT", tmp_path)
    monkeypatch.setattr(control_groups, "_SECONDS", 0)
    control_groups.create("atwork-1")
    (
        tmp_path / "atwork-1" / "busy"
    ).touch()  # the kernel refuses a group with a process as it does a folder with a file
    with pytest.raises(SandboxError, match=r"atwork-1: a process in this control group does not end; end it"):
        control_groups.remove("atwork-1")
