"""The platform on real Kubernetes API servers: what they accept and refuse, and the permissions in them.

The tests share one checkout with its own control planes and run in order, from `up` to `down`.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from pulumi.runtime.proto import provider_pb2_grpc
from support import shell
from support.build_pods import ASKED
from support.checkout import copy
from support.processes import kill_in_call
from support.simulation import Provider
from support.waiting import wait_for

from atwork.sandbox import simulation
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters.api import Api, ApiError
from atwork.sandbox.clusters.blocked import BLOCKED, reasons
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.clusters.running import fleet_of
from atwork.sandbox.faults.model import Operation
from atwork.sandbox.home import Home
from atwork.sandbox.state_files import deployment
from atwork.services.new import NewService, render
from components.binary_authorization_bypass import NAMESPACE_LABEL
from components.google.reserved import is_system_namespace
from components.jenkins import names
from infra.config import read_all

pytestmark = pytest.mark.engine

LASTING = ("ci", "staging", "production")
CLOUDS = (names.deploy_cloud("staging"), names.deploy_cloud("production"), names.preview_cloud("staging"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home(copy(tmp_path_factory.mktemp("real"), "infra", "policies"))
    yield home
    fleet = fleet_of(home)
    if fleet is not None:
        fleet.stop()


def atwork(home: Home, *words: str) -> str:
    """Run a command, which must succeed, and return its output."""
    done = shell.atwork(home, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pulumi(home: Home, *words: str) -> subprocess.CompletedProcess[str]:
    return shell.pulumi(home, *words, "--non-interactive")


def rows(output: str) -> dict[str, list[str]]:
    """Created, updated, replaced, deleted of each stack."""
    lines = (line.split() for line in output.splitlines())
    return {cells[0]: cells[3:7] for cells in lines if len(cells) > 8 and cells[1] == "done"}


def fleet(home: Home) -> Fleet:
    clusters = fleet_of(home)
    assert clusters is not None
    return clusters


def api(home: Home, environment: str) -> Api:
    clusters = fleet(home)
    cluster = clusters.of(environment)
    assert cluster is not None
    return Api(clusters.kubeconfig(cluster))


def objects_in_state(home: Home, stack: str) -> list[dict[str, Any]]:
    """The Kubernetes objects in the state of a stack, without Helm releases."""
    resources = deployment(home, stack).get("resources") or []
    assert isinstance(resources, list)
    return [each for each in resources if each["type"].startswith("kubernetes:") and "helm.sh" not in each["type"]]


def edit(home: Home, stack: str, old: str, new: str) -> None:
    path = home.checkout / "stacks" / f"Pulumi.{stack}.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def namespaces(server: Api) -> list[str]:
    """The namespaces that the program created."""
    names = [str(namespace["metadata"]["name"]) for namespace in server.all("/api/v1/namespaces")]
    created = [name for name in names if not is_system_namespace(name)]
    assert created
    return created


def refused(api: Api, path: str, body: dict[str, Any]) -> str:
    """The message of a refusal with code 403."""
    with pytest.raises(ApiError) as caught:
        api.call("POST", path, body=body)
    assert caught.value.code == 403
    return str(caught.value)


def refusal(api: Api, path: str, body: dict[str, Any]) -> str:
    """The message of an admission refusal in a dry run, with any code."""
    with pytest.raises(ApiError) as caught:
        api.call("POST", path, body=body, query={"dryRun": "All"})
    return str(caught.value)


def pod(**spec: Any) -> dict[str, Any]:
    """A pod that meets all rules, except for the given fields of its container."""
    security = {
        "allowPrivilegeEscalation": False,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "main", "image": "r.example.com/a@sha256:0", "securityContext": security} | spec
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": {"containers": [container]}}


def test_01_real_api_servers_accept_every_object_of_the_three_environments(home: Home) -> None:
    assert rows(atwork(home, "sandbox", "up", "--clusters", "real")).keys() == set(LASTING)
    for stack in LASTING:
        server = api(home, stack)
        resources = objects_in_state(home, stack)
        assert len(resources) >= 15
        for resource in resources:
            namespace, _, name = resource["id"].rpartition("/")
            place = server.place(resource["outputs"]["apiVersion"], resource["outputs"]["kind"])
            live = server.get(place, namespace, name)
            assert live is not None, resource["urn"]
            assert live["metadata"]["uid"] == resource["outputs"]["metadata"]["uid"]
        assert server.call("GET", "/version")["gitVersion"].startswith("v1.")


def test_02_the_provider_uses_the_kubeconfig_of_the_program(home: Home) -> None:
    resources = deployment(home, "ci").get("resources")
    assert isinstance(resources, list)
    [provider] = [each for each in resources if each["type"] == "pulumi:providers:kubernetes"]
    kubeconfig = json.loads(provider["inputs"]["kubeconfig"])
    cluster = fleet(home).of("ci")
    assert cluster is not None
    assert kubeconfig["clusters"][0]["cluster"] == {"server": cluster.server}
    assert kubeconfig["users"][0]["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"


def test_03_a_second_up_changes_nothing(home: Home) -> None:
    changes = rows(atwork(home, "sandbox", "up"))
    assert changes == {stack: ["·"] * 4 for stack in LASTING}


def test_04_a_refresh_reads_changes_by_kubectl_and_an_update_reverts_them(home: Home) -> None:
    server = api(home, "staging")
    quota = "/api/v1/namespaces/orders/resourcequotas/quota"
    before = server.call("GET", quota)["spec"]["hard"]["pods"]
    server.call(
        "PATCH",
        quota,
        query={"fieldManager": "kubectl-edit"},
        body={"spec": {"hard": {"pods": "7"}}},
        content="application/merge-patch+json",
    )
    server.call("DELETE", "/apis/networking.k8s.io/v1/namespaces/orders/networkpolicies/default-deny")
    assert rows(atwork(home, "sandbox", "up", "staging"))["staging"] == ["·"] * 4  # without a refresh
    done = pulumi(home, "refresh", "-s", "staging", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stdout
    assert "1 updated" in done.stdout
    assert "1 deleted" in done.stdout
    # Like the official provider, a preview does not force ownership of fields: it shows the conflict.
    done = pulumi(home, "preview", "-s", "staging")
    assert done.returncode != 0
    assert 'conflict with "kubectl-edit"' in done.stdout + done.stderr
    assert rows(atwork(home, "sandbox", "up", "staging"))["staging"] == ["1", "1", "·", "·"]
    assert server.call("GET", quota)["spec"]["hard"]["pods"] == before
    assert server.call("GET", "/apis/networking.k8s.io/v1/namespaces/orders/networkpolicies/default-deny")


def test_05_a_change_is_applied_and_an_equal_quantity_is_no_change(home: Home) -> None:
    server = api(home, "staging")
    service = home.checkout / "services" / "orders.yaml"
    text = service.read_text()
    service.write_text(text.replace("  staging:\n", "  staging:\n    size: {quota: {cpu: '21', pods: 30}}\n"))
    assert rows(atwork(home, "sandbox", "up", "staging"))["staging"] == ["·", "1", "·", "·"]
    hard = server.call("GET", "/api/v1/namespaces/orders/resourcequotas/quota")["spec"]["hard"]
    assert (hard["requests.cpu"], hard["pods"]) == ("21", "30")
    service.write_text(service.read_text().replace("cpu: '21'", "cpu: '21000m'"))
    assert rows(atwork(home, "sandbox", "up", "staging"))["staging"] == ["·"] * 4
    service.write_text(text)
    assert rows(atwork(home, "sandbox", "up", "staging"))["staging"] == ["·", "1", "·", "·"]


def test_06_pod_security_refuses_a_privileged_pod(home: Home) -> None:
    privileged = pod(securityContext={"privileged": True})
    refusal = refused(api(home, "staging"), "/api/v1/namespaces/orders/pods", privileged)
    assert 'violates PodSecurity "restricted' in refusal


def test_07_the_quota_refuses_a_request_above_it(home: Home) -> None:
    large = pod(resources={"requests": {"cpu": "4000"}})
    assert "exceeded quota: quota" in refused(api(home, "staging"), "/api/v1/namespaces/orders/pods", large)


def test_08_only_the_gateway_leads_into_a_namespace(home: Home) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "door"},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": {"a": "b"}},
    }
    assert "exceeded quota" in refused(api(home, "staging"), "/api/v1/namespaces/orders/services", service)
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "door"},
        "spec": {"defaultBackend": {"service": {"name": "orders", "port": {"number": 80}}}},
    }
    path = "/apis/networking.k8s.io/v1/namespaces/orders/ingresses"
    assert "exceeded quota" in refused(api(home, "staging"), path, ingress)


@pytest.mark.parametrize("stack", LASTING)
def test_09_each_namespace_has_a_default_deny_policy(home: Home, stack: str) -> None:
    server = api(home, stack)
    for namespace in namespaces(server):
        spec = server.call("GET", f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies/default-deny")[
            "spec"
        ]
        assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_10_the_default_account_of_each_namespace_has_no_token(home: Home) -> None:
    server = api(home, "ci")
    for namespace in namespaces(server):
        account = server.call("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default")
        assert account["automountServiceAccountToken"] is False


RIGHTS = ("roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io")


@cache
def served(server: Api, group: str) -> frozenset[str]:
    """The resources of a group; "" is the core group."""
    versions = ["/api/v1"]
    if group:
        versions = [f"/apis/{item['groupVersion']}" for item in server.call("GET", f"/apis/{group}")["versions"]]
    return frozenset(item["name"] for path in versions for item in server.call("GET", path)["resources"])


def may(server: Api, account: str, verb: str, resource: str, namespace: str, object_name: str = "") -> bool:
    """`kubectl auth can-i` for RESOURCE or RESOURCE.GROUP, and a service account NAMESPACE/NAME or a user.

    Without a name, for all objects. Nobody may anything with a resource that does not exist: such a name is an error.
    """
    resource, _, group = resource.partition(".")
    assert resource in served(server, group)
    own_namespace, _, name = account.rpartition("/")
    user = f"system:serviceaccount:{own_namespace}:{name}" if own_namespace else name
    groups = [f"system:serviceaccounts:{own_namespace}", "system:serviceaccounts"] if own_namespace else []
    resource, _, part = resource.partition("/")
    attributes = {
        "verb": verb,
        "group": group,
        "resource": resource,
        "subresource": part,
        "namespace": namespace,
        "name": object_name,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": user,
            "groups": [*groups, "system:authenticated"],
            "resourceAttributes": attributes,
        },
    }
    return bool(
        server.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body=review)["status"]["allowed"]
    )


def test_11_who_may_start_pods_and_where(home: Home) -> None:
    """Each scheduler may start pods in its own namespace only; the pods there have no permissions."""
    server = api(home, "ci")
    changes = (names.change_cloud(name) for name in ("ci", "staging", "production", names.EPHEMERAL))
    clouds = [*CLOUDS, names.PREVIEW_CLOUD, names.DRIFT_CLOUD, *changes]
    deploys = [names.target_namespace(cloud) for cloud in clouds]
    namespaces = [names.CONTROLLER_NAMESPACE, names.AGENTS_NAMESPACE, names.TESTS_NAMESPACE, *deploys, "kube-system"]
    schedulers = {
        f"{names.CONTROLLER_NAMESPACE}/{names.scheduler_account(cloud)}": names.target_namespace(cloud)
        for cloud in clouds
    }
    powerless = [
        *(f"{namespace}/default" for namespace in namespaces[:-1]),
        f"{names.AGENTS_NAMESPACE}/{names.AGENT_ACCOUNT}",
        *(f"{namespace}/{names.DEPLOY_ACCOUNT}" for namespace in deploys),
    ]
    actions = [
        ("create", "pods"),
        ("create", "pods/exec"),
        ("get", "secrets"),
        ("list", "secrets"),
        *(("create", resource) for resource in RIGHTS),
        ("create", "serviceaccounts/token"),
        ("delete", "namespaces"),
    ]
    table = {
        (account, verb, resource, namespace): may(server, account, verb, resource, namespace)
        for account in (*schedulers, *powerless)
        for verb, resource in actions
        for namespace in namespaces
    }
    granted = {key for key, is_allowed in table.items() if is_allowed}
    expected = {
        (account, "create", resource, namespace)
        for account, namespace in schedulers.items()
        for resource in ("pods", "pods/exec")
    }
    assert granted == expected


@pytest.mark.parametrize("name", ASKED)
def test_11a_a_hostile_jenkinsfile_chooses_no_nodes_and_no_buildkit(home: Home, name: str) -> None:
    server, asked = api(home, "ci"), ASKED[name]
    path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/jenkins-agents"
    variables = {item["name"]: item["expression"] for item in server.call("GET", path)["spec"]["variables"]}
    body = asked.body(variables["buildkit"].strip("'"))
    pods = f"/api/v1/namespaces/{asked.namespace}/pods"
    if asked.refused:
        assert asked.refused in refusal(server, pods, body)
    else:
        server.call("POST", pods, body=body, query={"dryRun": "All"})


def test_11b_a_pod_of_a_build_that_has_a_node_can_be_changed(home: Home) -> None:
    """It then has the name of a node and tolerations that the API server added."""
    server = api(home, "ci")
    pods = f"/api/v1/namespaces/{names.AGENTS_NAMESPACE}/pods"
    server.call("POST", pods, body=ASKED["a tool next to it"].body(""))
    try:
        target = {"apiVersion": "v1", "kind": "Node", "name": "agents-1"}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "asked"}, "target": target}
        server.call("POST", f"{pods}/asked/binding", body=binding)
        changed = server.merge(f"{pods}/asked", {"metadata": {"labels": {"changed": "true"}}})
        assert (changed["spec"]["nodeName"], changed["metadata"]["labels"]) == ("agents-1", {"changed": "true"})
        assert any(item["key"].startswith("node.kubernetes.io/") for item in changed["spec"]["tolerations"])
    finally:
        server.call("DELETE", f"{pods}/asked")


def test_12_the_deployer_may_change_workloads_in_its_own_namespace_only(home: Home) -> None:
    server = api(home, "staging")
    google = "platform-deployer@acme-at-work-staging.iam.gserviceaccount.com"
    for resource in ("pods", "services", "configmaps", "secrets"):
        assert may(server, "orders/deployer", "create", resource, "orders")
        for namespace in ("kube-system", "default", "preview-1"):
            assert not may(server, "orders/deployer", "create", resource, namespace)
            assert not may(server, google, "create", resource, namespace)
    for resource in (*RIGHTS, "resourcequotas", "limitranges", "namespaces"):
        assert not may(server, "orders/deployer", "create", resource, "orders")
    assert may(server, google, "impersonate", "serviceaccounts", "orders", "deployer")
    assert not may(server, google, "impersonate", "serviceaccounts", "orders", "orders")
    assert not may(server, google, "impersonate", "serviceaccounts", "preview-1", "deployer")


CHART = """\
{{- if .Values.read }}
{{- $secret := lookup "v1" "Secret" .Values.namespace "key" }}
{{- end }}
apiVersion: v1
kind: ConfigMap
metadata: {name: planted, namespace: {{ .Values.namespace }}}
"""


@pytest.mark.parametrize(
    ("namespace", "read", "refused"),
    [
        ("orders", "", ""),
        ("orders", "true", ""),
        ("preview-1", "", "cannot get resource"),
        ("preview-1", "true", 'secrets "key" is forbidden'),
    ],
)
def test_12_a_chart_reaches_no_other_namespace(
    home: Home, helm: Path, tmp_path: Path, namespace: str, read: str, refused: str
) -> None:
    """Install it with the rights of the deployer of `orders`; `lookup` reads a Secret while templates are rendered."""
    (tmp_path / "chart" / "templates").mkdir(parents=True)
    (tmp_path / "chart" / "Chart.yaml").write_text("{apiVersion: v2, name: planted, version: 1.0.0}")
    (tmp_path / "chart" / "templates" / "planted.yaml").write_text(CHART)
    values = [f"--set=namespace={namespace}", f"--set=read={read}"]
    installed = as_deployer(home, helm, "upgrade", "planted", str(tmp_path / "chart"), "--install", *values)
    assert (installed.returncode == 0) is (refused == ""), installed.stderr
    assert refused in installed.stderr
    if not refused:
        as_deployer(home, helm, "uninstall", "planted")


def as_deployer(home: Home, helm: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Helm in the namespace `orders` of staging as the deploy job does."""
    kubeconfig = home.checkout / "kubeconfig"
    kubeconfig.write_text(atwork(home, "sandbox", "kubeconfig", "staging"))
    access = (
        "--namespace=orders",
        f"--kubeconfig={kubeconfig}",
        "--kube-as-user=system:serviceaccount:orders:deployer",
    )
    return subprocess.run(
        [str(helm), *arguments, *access],
        env={**os.environ, "HELM_CACHE_HOME": str(home.checkout / "helm")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_12a_ci_may_impersonate_only_the_deployer_of_preview_namespaces(home: Home) -> None:
    server = api(home, "staging")
    previews = "platform-preview-namespaces@acme-at-work-staging.iam.gserviceaccount.com"

    def impersonates(account: str, namespace: str) -> bool:
        return may(server, previews, "impersonate", "serviceaccounts", namespace, account)

    assert impersonates("deployer", "preview-1")
    assert not impersonates("default", "preview-1")
    assert not impersonates("deployer", "orders")
    assert not impersonates("orders", "orders")
    for verb, resource in (("create", "pods"), ("get", "secrets"), ("create", "namespaces")):
        for namespace in ("preview-1", "orders", "kube-system"):
            assert not may(server, previews, verb, resource, namespace)
            assert may(server, "preview-1/deployer", verb, resource, namespace) is (
                namespace == "preview-1" and resource != "namespaces"
            )
    for resource in (*RIGHTS, "resourcequotas", "httproutes.gateway.networking.k8s.io"):
        assert not may(server, "preview-1/deployer", "create", resource, "preview-1")


def test_12b_candidates_run_only_in_preview_namespaces(home: Home) -> None:
    server = api(home, "staging")
    candidate = pod(image="europe-docker.pkg.dev/acme-at-work-ci/candidates/orders@sha256:0")
    message = refusal(server, "/api/v1/namespaces/orders/pods", candidate)
    assert "candidates run in preview namespaces alone" in message
    server.call("POST", "/api/v1/namespaces/preview-1/pods", body=candidate, query={"dryRun": "All"})
    released = pod(image="europe-docker.pkg.dev/acme-at-work-ci/services/orders@sha256:0")
    server.call("POST", "/api/v1/namespaces/orders/pods", body=released, query={"dryRun": "All"})


def test_12ba_no_pod_leaves_binary_authorization_where_no_administrator_allows_it(home: Home) -> None:
    server, pods = api(home, "staging"), "/api/v1/namespaces/orders/pods"
    asking = [
        {"labels": {"image-policy.k8s.io/break-glass": "true"}},
        {"labels": {"image-policy.k8s.io/break-glass": ""}},
        {"annotations": {"alpha.image-policy.k8s.io/break-glass": "true"}},
    ]

    def asks(metadata: dict[str, Any]) -> dict[str, Any]:
        return pod() | {"metadata": {"name": "asks", **metadata}}

    for metadata in asking:
        assert "would leave the pod out of Binary Authorization" in refusal(server, pods, asks(metadata))
    server.call("POST", "/api/v1/namespaces/kube-system/pods", body=asks(asking[0]), query={"dryRun": "All"})
    assert not may(server, "orders/deployer", "patch", "namespaces", "", "orders")
    server.merge("/api/v1/namespaces/orders", {"metadata": {"labels": {NAMESPACE_LABEL: "true"}}})
    # The API server reads labels of namespaces from a cache.
    wait_for(lambda: server.call("POST", pods, body=asks(asking[0]), query={"dryRun": "All"}), early=ApiError)
    server.merge("/api/v1/namespaces/orders", {"metadata": {"labels": {NAMESPACE_LABEL: None}}})


def test_12c_a_preview_namespace_may_allow_no_egress_and_not_change_the_policies_of_the_platform(home: Home) -> None:
    clusters = fleet(home)
    cluster = clusters.of("staging")
    assert cluster is not None
    preview = Api(clusters.kubeconfig(cluster), acting_as="system:serviceaccount:preview-1:deployer")
    path = "/apis/networking.k8s.io/v1/namespaces/preview-1/networkpolicies"
    policy: dict[str, Any] = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "own"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]},
    }
    preview.call("POST", path, body=policy, query={"dryRun": "All"})
    policy["spec"] = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]}
    assert "opens no way out" in refusal(preview, path, policy)
    with pytest.raises(ApiError, match="stay as they are"):
        preview.call("DELETE", f"{path}/default-deny", query={"dryRun": "All"})
    with pytest.raises(ApiError, match="forbidden"):
        preview.call("GET", "/api/v1/namespaces/orders/secrets")


@pytest.mark.skipif(
    "JENKINS_CHART_DIR" not in os.environ, reason="needs JENKINS_CHART_DIR (charts/jenkins of jenkinsci/helm-charts)"
)
def test_12d_the_official_jenkins_chart_is_installed_and_its_controller_becomes_ready(home: Home) -> None:
    server = api(home, "ci")
    [controller] = server.all("/api/v1/namespaces/jenkins/pods")
    assert (controller["metadata"]["name"], controller["status"]["phase"]) == ("jenkins-0", "Running")
    [claim] = server.all("/api/v1/namespaces/jenkins/persistentvolumeclaims")
    assert (claim["metadata"]["name"], claim["status"]["phase"]) == (names.HOME_CLAIM, "Bound")
    account = f"{names.CONTROLLER_NAMESPACE}/jenkins"
    for cloud in CLOUDS:  # every Jenkinsfile has the permissions of Jenkins
        assert not may(server, account, "create", "pods", names.target_namespace(cloud))
    assert may(server, account, "create", "pods", names.AGENTS_NAMESPACE)
    assert not may(server, account, "create", RIGHTS[0], names.AGENTS_NAMESPACE)


def test_13_the_chart_of_a_new_service_is_admitted_and_its_pods_become_ready(home: Home, helm: Path) -> None:
    """Install it as the pipeline does, with the permissions of the deployer."""
    repository = home.checkout / "orders"
    service = NewService("orders", "https://github.com/acme/orders", "team-orders", "#o", ("postgres", "redis"))
    render(service, read_all(home.checkout / "stacks"), repository)
    digest = "sha256:" + "a" * 64
    done = as_deployer(
        home,
        helm,
        "upgrade",
        "orders",
        str(repository / "chart"),
        "--install",
        "--wait",
        "--timeout=900s",
        f"--values={repository / 'chart' / 'values-staging.yaml'}",
        f"--set=image.repository=europe-docker.pkg.dev/acme-at-work-ci/services/orders,image.digest={digest}",
        "--set=project=acme-at-work-staging",
    )
    assert done.returncode == 0, done.stderr
    server = api(home, "staging")
    pods = [each for each in server.all("/api/v1/namespaces/orders/pods") if each["status"]["phase"] == "Running"]
    assert pods
    pools = {
        node["metadata"]["name"]: node["metadata"]["labels"]["atwork.dev/pool"] for node in server.all("/api/v1/nodes")
    }
    assert {pools[each["spec"]["nodeName"]] for each in pods} <= {"system", "services"}
    charts = yaml.safe_load((repository / "chart" / "Chart.yaml").read_text())
    assert charts["name"] == "orders"


def until(server: Api, name: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until a pod in the namespace orders meets a condition, and return the pod."""

    def read() -> dict[str, Any]:
        return server.call("GET", f"/api/v1/namespaces/orders/pods/{name}")

    def met() -> dict[str, Any] | None:
        return pod if condition(pod := read()) else None

    pod = wait_for(met, read)
    assert pod is not None
    return pod


def runs(pod: dict[str, Any]) -> bool:
    return pod["status"]["phase"] == "Running"


def check_blocked(home: Home, name: str, change: dict[str, Any], state: str, event: str) -> None:
    """Create a pod, and check that the gate reports the same state and event as GKE."""
    server = api(home, "staging")
    valid = {"image": "europe-docker.pkg.dev/acme-at-work-ci/services/orders@sha256:" + "a" * 64}
    body = pod(**valid | change)
    body["metadata"]["name"] = name
    server.call("POST", "/api/v1/namespaces/orders/pods", body=body)
    created = until(server, name, lambda pod: BLOCKED in (pod["metadata"].get("annotations") or {}))
    assert created["status"]["phase"] == "Pending"
    assert [status["state"]["waiting"]["reason"] for status in created["status"]["containerStatuses"]] == [state]
    events = server.all("/api/v1/namespaces/orders/events", fieldSelector=f"involvedObject.name={name},type=Warning")
    assert any(event in each["message"] for each in events)
    assert any(event in reason for reason in reasons(server, "orders"))


def test_13a_a_pod_that_would_not_start_on_gke_does_not_start(home: Home) -> None:
    check_blocked(
        home,
        "mounts-nothing",
        {"envFrom": [{"secretRef": {"name": "absent"}}]},
        "ContainerCreating",
        "Secret orders/absent is missing",
    )


def test_13a_a_pod_whose_nodes_may_not_pull_its_image_starts_after_the_grant(home: Home) -> None:
    cloud = Cloud(home.cloud)
    [grant] = [
        each for each in cloud.objects("") if each.urn.endswith("::access-pull-services") and ":staging::" in each.urn
    ]
    cloud.delete(grant.scope, grant.type, grant.id)
    try:
        repository = "projects/acme-at-work-ci/locations/europe/repositories/services"
        check_blocked(home, "pulls-nothing", {}, "ImagePullBackOff", f"may not read {repository}")
    finally:
        cloud.create(grant, set())
    until(api(home, "staging"), "pulls-nothing", runs)


def test_13b_a_blocked_pod_starts_when_the_missing_secret_exists(home: Home) -> None:
    server = api(home, "staging")
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "absent"}}
    server.call("POST", "/api/v1/namespaces/orders/secrets", body=secret)
    until(server, "mounts-nothing", runs)
    assert not any("mounts-nothing" in reason for reason in reasons(server, "orders"))


def test_13c_an_update_that_fails_because_of_a_blocked_pod_names_the_reason(home: Home) -> None:
    clusters = fleet(home)
    cluster = clusters.of("staging")
    assert cluster is not None
    running = simulation.start(home.cloud, clusters)
    channel = grpc.insecure_channel(f"127.0.0.1:{running.ports['kubernetes']}")
    try:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        kubernetes = Provider(stub, {"kubeconfig": clusters.kubeconfig(cluster)})
        body = pod(image="europe-docker.pkg.dev/acme-at-work-ci/cache/orders:1")
        metadata = {"name": "of-an-update", "namespace": "orders", "annotations": {"pulumi.com/timeoutSeconds": "30"}}
        with pytest.raises(grpc.RpcError) as caught:
            kubernetes.create("kubernetes:core/v1:Pod", "of-an-update", {**body, "metadata": metadata})
    finally:
        channel.close()
        running.stop()
    assert "pods of-an-update is not ready after 30 s" in str(caught.value)
    assert "may not read projects/acme-at-work-ci/locations/europe/repositories/cache" in str(caught.value)


def test_14_secrets_are_encrypted_in_etcd(home: Home) -> None:
    server = api(home, "staging")
    value = "do-not-find-me-anywhere"
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "planted"}, "stringData": {"key": value}}
    server.call("POST", "/api/v1/namespaces/orders/secrets", body=body)
    result = subprocess.run(["grep", "-rlFa", value, str(home.folder)], capture_output=True, text=True, check=False)
    assert result.stdout == ""


def test_15_a_pool_grows_while_pods_are_unschedulable(home: Home) -> None:
    server = api(home, "ci")
    body = pod()
    body["spec"] |= {
        "nodeSelector": {"atwork.dev/pool": "agents"},
        "tolerations": [{"key": "atwork.dev/pool", "operator": "Exists"}],
    }
    body["metadata"]["name"] = "waits-for-a-machine"
    server.call("POST", f"/api/v1/namespaces/{names.target_namespace(CLOUDS[0])}/pods", body=body)
    atwork(home, "sandbox", "up", "ci")  # GKE's controllers run during a command
    nodes = server.all("/api/v1/nodes", labelSelector="atwork.dev/pool=agents")
    assert len(nodes) == 1
    assert nodes[0]["spec"]["taints"] == [{"key": "atwork.dev/pool", "value": "agents", "effect": "NoSchedule"}]


def test_16_stopped_clusters_start_again_with_their_content(home: Home) -> None:
    atwork(home, "sandbox", "stop")
    clusters = fleet(home)
    assert not any(clusters.running(cluster) for cluster in clusters.clusters())
    assert "stopped" in atwork(home, "sandbox", "status")
    assert rows(atwork(home, "sandbox", "up", "ci"))["ci"] == ["·"] * 4
    assert all(clusters.running(cluster) for cluster in clusters.clusters())


def test_16b_an_object_of_a_killed_update_is_in_the_state_after_the_next_update(home: Home) -> None:
    server = api(home, "staging")
    catalog = home.checkout / "services"
    (catalog / "stock.yaml").write_text((catalog / "orders.yaml").read_text().replace("orders", "stock"))

    def has_namespace() -> bool:
        return server.get(server.place("v1", "Namespace"), "", "stock") is not None

    kill_in_call(
        home,
        ["sandbox", "up", "staging"],
        "staging",
        Operation.create,
        type="kubernetes:core/v1:ResourceQuota",
        also=has_namespace,
    )
    printed = atwork(home, "sandbox", "up", "staging")
    assert "staging: removed the lock of a run that is gone" in printed
    ids = {resource["id"] for resource in objects_in_state(home, "staging")}
    assert {"stock", "stock/quota", "stock/default-deny"} <= ids


def test_17_without_guards_everything_is_destroyed_and_no_program_runs(home: Home) -> None:
    programs = [daemon for cluster in fleet(home).clusters() for daemon in fleet(home).daemons(cluster)]
    assert len(programs) > len(LASTING) * 4
    for stack in ("staging", "production"):
        edit(home, stack, "deletion_protection: true", "deletion_protection: false")
        edit(home, stack, "        tier:", "        deletion_protection: false\n        tier:")
    edit(home, "ci", "      deletion_protection: true", "      deletion_protection: false")
    leave = '{policy: deletion-guards, resource: "*", reason: the environment is given up, expires: "2099-12-31"}'
    edit(home, "staging", "      exemptions:\n", f"      exemptions:\n        going: {leave}\n")
    edit(home, "production", "    secrets:", f"    policies: {{exemptions: {{going: {leave}}}}}\n    secrets:")
    atwork(home, "sandbox", "up")
    assert "Nothing is left." in atwork(home, "sandbox", "down")
    assert fleet(home).clusters() == []
    assert not any(daemon.alive() for daemon in programs)
