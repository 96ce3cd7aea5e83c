"""The pod of builds on a node: admitted as the platform's template says, and rootless BuildKit works in it.

The pod, its namespace and its policies are those of the program. What a build runs is the command of the shared library.
"""

from __future__ import annotations

import base64
import copy
import ipaddress
import json
import re
import socket
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from support import pod_client, rootless
from support import programs as needed
from support.mocks import Recording
from support.waiting import wait_for

from atwork.containers import network
from atwork.containers.stand_ins import stand_in
from atwork.sandbox.clusters.api import Api, ApiError
from atwork.sandbox.clusters.choice import Choice, ClusterKind, NodeKind
from atwork.sandbox.clusters.credentials import NODE
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.endpoints import Endpoints, TokenHolder
from atwork.sandbox.verify import jenkins
from atwork.sandbox.verify.environments import EnvironmentObjects, Object
from atwork.toolchain import programs
from components.jenkins import admission, names, pods
from components.type_tokens import RELEASE

pytestmark = [pytest.mark.usefixtures("containers"), pytest.mark.engine]

LIBRARY = Path(__file__).parents[3] / "delivery" / "vars"
PODS = f"/api/v1/namespaces/{names.AGENTS_NAMESPACE}/pods"
READ, WRITE = (f"artifactregistry.repositories.{verb}Artifacts" for verb in ("download", "upload"))
INTERNET = "203.0.113.1"
"""An address that the network policy of builds permits, where the registry listens."""

DOCKERFILE = """\
ARG DOCKER_HUB
FROM ${DOCKER_HUB}/library/python:3 AS runtime
WORKDIR /app
COPY folder folder
RUN useradd --uid 4000 other && python3 -c 'print(6 * 7)' > made && chown other made
USER 4000
RUN touch /tmp/mine
"""


@dataclass(frozen=True)
class Builds:
    """A cluster with a node for builds, and the registry."""

    fleet: Fleet
    api: Api
    kubeconfig: str
    folder: Path
    spec: dict[str, Any]
    """Of the pod of a build."""
    project: str
    host: str

    @property
    def docker_hub(self) -> str:
        return f"{self.host}/{self.project}/docker-hub"

    def crane(self, *words: str) -> None:
        environment = {**self.fleet.registry.endpoints("", ()).environment(), "DOCKER_CONFIG": str(self.folder)}
        command = [str(programs.registry(Console(stderr=True))[0]), *words]
        subprocess.run(command, env=environment, capture_output=True, check=True)

    def execute(self, script: str) -> str:
        """What a script prints in the container `buildkit`, as a step of a pipeline runs it; it must succeed."""
        words = ("sh", "-c", script)
        code, output = pod_client.execute(
            self.kubeconfig, names.AGENTS_NAMESPACE, "build", *words, container="buildkit"
        )
        assert code == 0, output
        return output

    def phase(self, name: str) -> str:
        return self.api.call("GET", f"{PODS}/{name}")["status"]["phase"]

    def ready(self) -> bool:
        conditions = self.api.call("GET", f"{PODS}/build")["status"].get("conditions") or ()
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def refusal(self, spec: dict[str, Any]) -> str:
        """Why the API server does not create a pod; "" if it would."""
        try:
            self.api.call("POST", PODS, body=pod("asked", spec), query={"dryRun": "All"})
        except ApiError as error:
            return str(error)
        return ""


def pod(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def composed(recording: Recording) -> dict[str, Any]:
    """The pod of a build as Jenkins' plugin makes it, which mounts the workspace into each container."""
    [release] = [item for item in recording.of_type(RELEASE).values() if str(item.inputs["chart"]).endswith("jenkins")]
    environment = EnvironmentObjects("any", {RELEASE: [release.inputs]}, {})
    rendered = jenkins.read(environment, None, Path("helm"), LIBRARY, "none:1")
    assert rendered is not None
    [spec] = [copy.deepcopy(dict(each.spec)) for each in rendered.pods if each.name == "build"]
    for container in spec["containers"]:
        container["workingDir"] = pods.HOME
        mount = {"name": "workspace-volume", "mountPath": pods.HOME}
        container["volumeMounts"] = [*container.get("volumeMounts", ()), mount]
    return {**spec, "terminationGracePeriodSeconds": 1}


def objects(recording: Recording) -> Iterator[Object]:
    """The namespace of builds with all that is in it, its policies, and the priorities of pods, in this order."""
    kinds: dict[str, list[Object]] = {"Namespace": [], "PriorityClass": []}
    for resource in recording.resources.values():
        if resource.type.startswith("kubernetes:") and resource.type != RELEASE and not resource.type.endswith("Patch"):
            kinds.setdefault(str(resource.inputs["kind"]), []).append(resource.inputs)
    for kind, manifests in kinds.items():
        for manifest in manifests:
            own = (manifest["metadata"].get("namespace") or manifest["metadata"]["name"]) == names.AGENTS_NAMESPACE
            policy = kind.startswith("Validating") and manifest["metadata"]["name"] == admission.PLACEMENT_POLICY
            if own or policy or kind == "PriorityClass":
                yield manifest


@pytest.fixture(scope="module")
def builds(recordings: dict[str, Recording], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builds]:
    needed.skip(rootless.obstacles())
    folder, console = tmp_path_factory.mktemp("builds"), Console(stderr=True)
    [recording] = [each for each in recordings.values() if each.of_type("atwork:builders:Builders")]
    spec = composed(recording)
    [image] = [each["image"] for each in spec["containers"] if each["name"] == "buildkit"]
    host, project, _ = image.split("/", 2)
    fleet = Fleet(folder / "clusters", folder / "bin", Choice(ClusterKind.real, nodes=NodeKind.real), console)
    cluster = fleet.reserve("projects/p/locations/europe-west1/clusters/one", "one")
    with ExitStack() as ended:
        ended.callback(fleet.stop)
        fleet.start(cluster)
        fleet.install_addons(cluster)
        kubeconfig = fleet.kubeconfig(cluster)
        it = Builds(fleet, Api(kubeconfig), kubeconfig, folder, spec, project, host)
        ended.callback(it.api.close)
        hub, candidates = f"{project}/docker-hub", f"{project}/candidates"
        holders = {
            "test": TokenHolder("serviceAccount:test", {hub: [READ, WRITE], candidates: [READ]}),
            "build": TokenHolder("serviceAccount:build", {hub: [READ], candidates: [READ, WRITE]}),
        }
        ended.enter_context(fleet.registry.session(Endpoints(folder, host, "europe", (), {}, holders)))
        (folder / "config.json").write_text(login(host, "test"))
        push(it, image, console)
        rights = folder / "rights.json"
        rights.write_text(json.dumps({"principal": "serviceAccount:nodes", "registry": {hub: [READ]}}))
        node = fleet.node(cluster)
        token = fleet.registry.admit(cluster.key, ["cat", str(rights)], cluster.identity).token
        file = node.folder / "login.json"
        file.write_text(re.sub(r'"password": "[^"]*"', f'"password": "{token}"', file.read_text()))
        for manifest in objects(recording):
            place = it.api.place(str(manifest["apiVersion"]), str(manifest["kind"]))
            it.api.apply(place, manifest, manager="test", force=True)
        pool = spec["nodeSelector"][names.POOL_LABEL]
        taints = [{"key": names.POOL_LABEL, "value": pool, "effect": "NoSchedule"}]
        of_pool = {"metadata": {"labels": spec["nodeSelector"]}, "spec": {"taints": taints}}
        nodes = it.api.place("v1", "Node")
        wait_for(lambda: it.api.get(nodes, "", NODE) is not None)  # the kubelet registers it
        it.api.merge(nodes.path(name=NODE), of_pool)
        forwarder = ended.enter_context(closing(network.Forwarder()))
        port = int(fleet.registry.endpoints("", ()).proxy.rpartition(":")[2])
        network.add_bridge(node.pid, "internet", ipaddress.IPv4Interface((INTERNET, 32)))
        listener = network.listen(node.pid, INTERNET, 443)
        forwarder.forward(listener, lambda: socket.create_connection(("127.0.0.1", port)))
        wait_for(lambda: not it.refusal(spec), lambda: it.refusal(spec))  # the quota and the account are there
        wait_for(lambda: "no host network" in it.refusal({**spec, "hostNetwork": True}))  # the policy is in force
        it.api.call("POST", PODS, body=pod("build", spec))
        wait_for(it.ready, lambda: it.api.call("GET", f"{PODS}/build")["status"])
        yield it


def login(host: str, token: str) -> str:
    auth = base64.b64encode(f"oauth2accesstoken:{token}".encode()).decode()
    return json.dumps({"auths": {host: {"auth": auth}}})


def push(builds: Builds, image: str, console: Console) -> None:
    """Push BuildKit, an image to build from, and one for each other container, which only waits for commands."""
    builds.crane("push", str(rootless.image(console)), image)
    python = f"{builds.docker_hub}/library/python:3"
    builds.crane("push", str(stand_in("python", console)), python)
    for container in builds.spec["containers"]:
        if container["name"] != "buildkit":
            # The registry of the sandbox answers for one host.
            container["image"] = f"{builds.docker_hub}/tools/{container['name']}:1"
            builds.crane("mutate", python, "--entrypoint=sleep,99d", f"--tag={container['image']}")


def build(builds: Builds, tag: str) -> str:
    """Run the command of the shared library; returns its output."""
    text = re.search(r'sh """\\\n(.*?)"""', (LIBRARY / "image.groovy").read_text(), re.DOTALL)
    assert text is not None
    command = text[1].replace("\\\\", "\\")
    values = {
        "service.context": "app",
        "target": "runtime",
        "tag": tag,
        "env.DOCKER_HUB": builds.docker_hub,
        "name": candidate(builds),
        "cache(service)": "",
    }
    for name, value in values.items():
        command = command.replace(f"${{{name}}}", value)
    assert "${" not in command
    way = f"export HTTPS_PROXY=http://{INTERNET}:443 SSL_CERT_FILE={pods.HOME}/ca.crt"
    return builds.execute(f"{way}\n{command}")


def candidate(builds: Builds) -> str:
    return f"{builds.host}/{builds.project}/candidates/app"


def test_rootless_buildkit_builds_and_pushes_in_the_pod_of_the_template(builds: Builds) -> None:
    authority = (builds.fleet.registry.folder / "ca.crt").read_text()
    builds.execute(
        f"cat > ca.crt <<'END'\n{authority}\nEND\n"
        f"cat > {pods.REGISTRY_LOGIN}/config.json <<'END'\n{login(builds.host, 'build')}\nEND\n"
        f"mkdir -p app/folder && echo content > app/folder/file && cat > app/Dockerfile <<'END'\n{DOCKERFILE}\nEND\n"
    )
    assert "CACHED" not in build(builds, "1")
    digest = json.loads(builds.execute("cat build-runtime.json"))["containerimage.digest"]
    files = exported(builds, f"{candidate(builds)}@{digest}")
    assert files["app/made"].uid == files["tmp/mine"].uid == 4000
    # No folder has the setgid bit: not those that the build makes, and not those of the workspace.
    assert {files[name].mode for name in ("app", "app/folder")} == {0o755}
    assert files["tmp/mine"].gid == 4000


def exported(builds: Builds, reference: str) -> dict[str, tarfile.TarInfo]:
    """The files of an image, by path."""
    archive = builds.folder / "image.tar"
    builds.crane("export", reference, str(archive))
    with tarfile.open(archive) as opened:
        return {member.name.removeprefix("./"): member for member in opened.getmembers()}


def test_the_next_build_in_the_pod_has_the_layers_of_the_first(builds: Builds) -> None:
    assert build(builds, "2").count("CACHED") == 4


CONFINED: dict[str, dict[str, Any]] = {
    "escalates": {"allowPrivilegeEscalation": False},
    "seccomp": {"seccompProfile": {"type": "RuntimeDefault"}},
    "capabilities": {"capabilities": {"drop": ["ALL"]}},
}
"""What other containers have and BuildKit does not, by the name of a pod."""


def test_rootless_buildkit_needs_the_rights_that_only_its_container_has(builds: Builds) -> None:
    [container] = [each for each in builds.spec["containers"] if each["name"] == "buildkit"]
    size = {"cpu": "10m", "memory": "128Mi", "ephemeral-storage": "64Mi"}
    limits = {key: size[key] for key in ("memory", "ephemeral-storage")}
    for name, confined in {"template": {}, **CONFINED}.items():
        alone = {
            **container,
            "command": ["rootlesskit", "true"],
            "securityContext": {**container["securityContext"], **confined},
            "resources": {"requests": size, "limits": limits},
        }
        spec = {**builds.spec, "containers": [alone], "restartPolicy": "Never"}
        builds.api.call("POST", PODS, body=pod(name, spec))
    ended = {"template": "Succeeded", **dict.fromkeys(CONFINED, "Failed")}
    wait_for(lambda: {name: builds.phase(name) for name in ended} == ended, lambda: [*map(builds.phase, ended)])


_TOOL = {"name": "helm", "securityContext": {"seccompProfile": {"type": "Unconfined"}}}
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no privileged containers": ({}, {"securityContext": {"privileged": True}}),
    "no host network, processes or IPC": ({"hostPID": True}, {}),
    "no hostPath volumes": ({"volumes": [{"name": "host", "hostPath": {"path": "/"}}]}, {}),
    "no host ports": ({}, {"ports": [{"containerPort": 80, "hostPort": 80}]}),
    "no added capabilities": ({}, {"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}),
    "no unmasked /proc": ({"hostUsers": False}, {"securityContext": {"procMount": "Unmasked"}}),
    "no sysctls": ({"securityContext": {"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "1"}]}}, {}),
    "a seccomp profile for every container but buildkit": ({}, _TOOL),
    "no container without AppArmor but buildkit": (
        {},
        {"name": "helm", "securityContext": {"appArmorProfile": {"type": "Unconfined"}}},
    ),
    "only the platform's BuildKit as the container buildkit": ({}, {"image": "r.example.com/own:1"}),
}
"""Changes of the pod and of one container, `buildkit` or a named one, by the rule that refuses them."""


@pytest.mark.parametrize("rule", admission.RULES)
def test_a_pod_that_asks_for_more_than_the_template_is_refused(builds: Builds, rule: str) -> None:
    if rule == "no debug containers":  # they are added to pods that run
        body = {"spec": {"ephemeralContainers": [{"name": "debug", "image": "r.example.com/own:1"}]}}
        with pytest.raises(ApiError, match=rule):
            builds.api.merge(f"{PODS}/build/ephemeralcontainers", body)
        return
    of_pod, of_container = CHANGES[rule]
    spec = copy.deepcopy(builds.spec)
    for key, value in of_pod.items():
        spec[key] = {**spec[key], **value} if isinstance(value, dict) else value
    if "volumes" in of_pod:
        spec["volumes"] += builds.spec["volumes"]
    name = of_container.get("name", "buildkit")
    [container] = [each for each in spec["containers"] if each["name"] == name]
    security = {**container["securityContext"], **of_container.get("securityContext", {})}
    container |= {**of_container, "securityContext": security}
    assert f"{names.AGENTS_NAMESPACE} allows {rule}" in builds.refusal(spec)
