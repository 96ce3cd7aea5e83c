"""The shipped environments hold, and each check fails when its cause is planted."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.checkout import ROOT

from atwork.engine.urn import stack_of
from atwork.sandbox.cloud import CloudObject
from atwork.sandbox.verify import charts, placement, services
from atwork.sandbox.verify.checks import PodPlan, check_context, plan, verify
from atwork.sandbox.verify.model import Pod, PodFinding, VerifyReport
from components.type_tokens import SECRET_VERSION

Objects = list[CloudObject]
Change = Callable[[Objects], None]


def report(objects: Objects, planned: PodPlan) -> VerifyReport:
    return verify(check_context(objects, planned))


@pytest.fixture(scope="session")
def before(shipped: Objects, planned: PodPlan) -> VerifyReport:
    return report(shipped, planned)


def test_every_shipped_pod_could_start_and_work(before: VerifyReport) -> None:
    assert [str(finding) for finding in before.errors()] == []


@pytest.mark.skipif(
    "JENKINS_CHART_DIR" not in os.environ, reason="needs JENKINS_CHART_DIR (charts/jenkins of jenkinsci/helm-charts)"
)
def test_the_controller_of_the_official_chart_could_start_and_work(shipped: Objects, helm: Path) -> None:
    rendered = report(shipped, plan(shipped, ROOT, helm))
    assert ("ci", "jenkins", "jenkins") in {(pod.environment, pod.namespace, pod.name) for pod in rendered.pods}
    assert [str(finding) for finding in rendered.errors()] == []


def test_all_pods_of_the_platform_are_checked(before: VerifyReport) -> None:
    seen = {(pod.environment, pod.namespace, pod.name) for pod in before.pods}
    assert seen >= {
        ("ci", "jenkins", "jenkins-0"),
        ("ci", "jenkins-agents", "build"),
        ("ci", "jenkins-tests", "test-all-stores"),
        ("ci", "jenkins-tests", "store-mysql"),
        ("ci", "jenkins-deploy-production", "deploy-production"),
        ("ci", "jenkins-previews-staging", "previews-staging"),
        ("ci", "jenkins-platform-preview", "platform-preview"),
        ("staging", "orders", "orders"),
        ("staging", "orders", "orders-smoke-test"),
        ("staging", "preview-1", "redis"),
        ("staging", "preview-4", "orders"),
        ("production", "orders", "orders"),
        ("production", "database-rights", "orders"),
        ("production", "orders", "database-login"),
    }
    [orders] = [
        pod for pod in before.pods if (pod.environment, pod.namespace, pod.name) == ("production", "orders", "orders")
    ]
    assert orders.most == 13  # values-production.yaml, and one while it rolls out
    assert {pod.role for pod in before.pods} == {
        "controller",
        "build",
        "test",
        "deploy",
        "platform",
        "service",
        "smoke-test",
        "store",
        "rights",
    }


def test_what_people_create_without_pulumi_is_a_prerequisite_and_not_an_error(before: VerifyReport) -> None:
    [value] = [prerequisite for prerequisite in before.prerequisites() if prerequisite.environment == "production"]
    assert value.what == "projects/acme-at-work-production/secrets/orders-payment-gateway has no version latest"
    assert "owner of the secret" in value.fix


def test_a_value_in_secret_manager_closes_its_prerequisite(shipped: Objects, planned: PodPlan) -> None:
    secret = "projects/acme-at-work-production/secrets/orders-payment-gateway"
    added = [*shipped, CloudObject("", SECRET_VERSION, f"{secret}/versions/1", "", {}, {})]
    assert not [item for item in report(added, planned).findings if item.environment == "production"]
    disabled = CloudObject("", SECRET_VERSION, f"{secret}/versions/2", "", {"enabled": False}, {"enabled": False})
    [missing] = [item for item in report([*added, disabled], planned).findings if item.environment == "production"]
    assert "has no version latest" in missing.what


# Planting causes


def of(objects: Objects, stack: str, kind: str, name: str) -> CloudObject:
    """The object of a stack by the end of its type and its logical name."""
    [result] = [
        item
        for item in objects
        if stack_of(item.urn) == stack and item.type.endswith(kind) and item.urn.endswith(f"::{name}")
    ]
    return result


def gone(stack: str, kind: str, name: str) -> Change:
    def change(objects: Objects) -> None:
        objects.remove(of(objects, stack, kind, name))

    return change


def put(stack: str, kind: str, name: str, path: str, value: Any) -> Change:
    """Set a property of an object, by its path with spaces."""

    def change(objects: Objects) -> None:
        inputs: Any = of(objects, stack, kind, name).inputs
        *places, last = path.split()
        for place in places:
            inputs = inputs[int(place) if place.isdigit() else place]
        inputs[int(last) if last.isdigit() else last] = value

    return change


def proxies(stack: str, block: str) -> Change:
    """Add the proxy-only subnet of an internal load balancer."""

    def change(objects: Objects) -> None:
        subnet = of(objects, stack, ":Subnetwork", "network-subnet")
        inputs = {**subnet.inputs, "purpose": "REGIONAL_MANAGED_PROXY", "ipCidrRange": block}
        urn = subnet.urn.replace("network-subnet", "network-proxies")
        objects.append(replace(subnet, id=f"{subnet.id}-proxies", urn=urn, inputs=inputs))

    return change


PLANTED: dict[str, tuple[Change, str, str, str]] = {
    "an image in a repository without a reader": (
        gone("production", ":RepositoryIamMember", "access-pull-services"),
        "production: orders/orders",
        "image",
        r"nodes of production \(.*\) may not read .*/repositories/services",
    ),
    "an image in a repository that nobody has": (
        gone("ci", ":Repository", "registry-docker-hub"),
        "ci: jenkins-agents/build",
        "image",
        "no environment has this repository",
    ),
    "an image that Binary Authorization does not admit": (
        put("staging", ":Policy", "images-policy", "admissionWhitelistPatterns", [{"namePattern": "gcr.io/a/**"}]),
        "staging: preview-1/redis",
        "image",
        "Binary Authorization of staging does not admit it",
    ),
    "a pattern that stops at a slash": (
        put(
            "staging",
            ":Policy",
            "images-policy",
            "admissionWhitelistPatterns",
            [{"namePattern": "europe-docker.pkg.dev/acme-at-work-ci/docker-hub/*"}],
        ),
        "staging: preview-1/redis",
        "image",
        "does not admit it",
    ),
    "nodes that may not stream images": (
        put("production", ":NodePool", "pools-services", "nodeConfig gcfsConfig", {"enabled": True}),
        "production: orders/orders",
        "image",
        "image streaming needs serviceusage.services.use on projects/acme-at-work-ci",
    ),
    "a secret that is not there": (
        gone("staging", ":Secret", "secrets-orders-payment-gateway"),
        "staging: orders/orders",
        "mount",
        "staging has no secret projects/acme-at-work-staging/secrets/orders-payment",
    ),
    "no Secret Manager add-on": (
        put("staging", ":Cluster", "cluster-cluster", "secretManagerConfig enabled", False),
        "staging: orders/orders",
        "mount",
        "no node has the CSI driver",
    ),
    "a claim that is not there": (
        gone("ci", ":PersistentVolumeClaim", "jenkins-home"),
        "ci: jenkins/jenkins-0",
        "mount",
        "PersistentVolumeClaim jenkins/jenkins-home is missing",
    ),
    "a token that is not there": (
        gone("ci", "core/v1:ServiceAccount", "jenkins-deploy-production-scheduler"),
        "ci: jenkins/jenkins-0",
        "mount",
        "Secret jenkins/jenkins-deploy-production-scheduler is missing",
    ),
    "the wrong identity": (
        put(
            "staging",
            ":SecretIamMember",
            "secrets-orders-payment-gateway-reader-orders",
            "member",
            "serviceAccount:somebody@acme-at-work-staging.iam.gserviceaccount.com",
        ),
        "staging: orders/orders",
        "identity",
        "may not read projects/acme-at-work-staging/secrets/orders-payment-gateway",
    ),
    "an account that its pods may not act as": (
        gone("staging", "serviceaccount/iAMMember:IAMMember", "access-deployer-impersonation"),
        "ci: jenkins-deploy-staging/deploy-staging",
        "identity",
        "may not act as platform-deployer@acme-at-work-staging",
    ),
    "an account that is not there": (
        gone("staging", "core/v1:ServiceAccount", "tenant-orders-account-orders"),
        "staging: orders/orders",
        "identity",
        "ServiceAccount orders/orders is missing",
    ),
    "a pool that is too small": (
        put("ci", ":NodePool", "pools-agents", "nodeConfig machineType", "e2-medium"),
        "ci: jenkins-agents/build",
        "placement",
        r"no node takes it .*1\.5 of cpu is more than the 0\.94 of one node",
    ),
    "a disk that is too small": (
        put("ci", ":NodePool", "pools-agents", "nodeConfig diskSizeGb", 50),
        "ci: jenkins-agents/build",
        "placement",
        "24Gi of ephemeral-storage is more than",
    ),
    "a pool with too few nodes": (
        put("ci", ":NodePool", "pools-agents", "autoscaling totalMaxNodeCount", 7),
        "ci: jenkins-agents/build",
        "placement",
        "all pods at their maximum need 8 nodes",
    ),
    "a taint without a toleration": (
        put(
            "ci",
            ":NodePool",
            "pools-agents",
            "nodeConfig taints",
            [{"key": "team", "value": "a", "effect": "NO_SCHEDULE"}],
        ),
        "ci: jenkins-agents/build",
        "placement",
        "its taint team=a:NoSchedule is not tolerated",
    ),
    "a label that no pool has": (
        put("ci", ":NodePool", "pools-agents", "nodeConfig labels", {}),
        "ci: jenkins-agents/build",
        "placement",
        "its label atwork.dev/pool is not set and not agents",
    ),
    "a quota that is too low for one pod": (
        put("ci", ":ResourceQuota", "jenkins-builders-agents-quota", "spec hard requests.cpu", "1"),
        "ci: jenkins-agents/build",
        "admission",
        r"one pod alone of jenkins-agents: 1\.5 of requests\.cpu",
    ),
    "a quota that is too low for all": (
        put("ci", ":ResourceQuota", "jenkins-builders-agents-quota", "spec hard requests.cpu", "59"),
        "ci: jenkins-agents/build",
        "admission",
        "all pods at their maximum of jenkins-agents: 60 of requests.cpu where the quota has 59",
    ),
    "a namespace that is not there": (
        gone("production", ":Namespace", "tenant-orders-namespace"),
        "production: orders/orders",
        "admission",
        "namespace orders is missing",
    ),
    "a Pod Security level that is too strict": (
        put(
            "ci",
            "core/v1:Namespace",
            "jenkins-builders-agents-namespace",
            "metadata labels pod-security.kubernetes.io/enforce",
            "restricted",
        ),
        "ci: jenkins-agents/build",
        "admission",
        "Pod Security restricted refuses it .*buildkit: seccompProfile Unconfined",
    ),
    "a priority that is not there": (
        gone("ci", ":PriorityClass", "jenkins-priority-agents"),
        "ci: jenkins-agents/build",
        "admission",
        "PriorityClass jenkins-agents is missing",
    ),
    "builds that admission wants on another pool": (
        put("ci", ":ValidatingAdmissionPolicy", "jenkins-builders-placement", "spec variables 0 expression", "'other'"),
        "ci: jenkins-tests/test",
        "admission",
        "pods of builds have only the nodes of the agents",
    ),
    "another BuildKit than admission wants": (
        put("ci", ":ValidatingAdmissionPolicy", "jenkins-builders-policy", "spec variables 1 expression", "'other'"),
        "ci: jenkins-agents/build",
        "admission",
        "pods of builds have only the platform's BuildKit",
    ),
    "names that are not resolved": (
        gone("staging", ":NetworkPolicy", "tenant-orders-dns"),
        "staging: orders/orders",
        "network",
        r"does not reach name resolution \(169\.254\.169\.254/32 at UDP 53",
    ),
    "a way out that is closed": (
        gone("staging", ":NetworkPolicy", "tenant-orders-allow-out"),
        "staging: orders/orders",
        "network",
        "does not reach Cloud SQL .* egress of orders is closed by",
    ),
    "a database range that is another": (
        put("production", ":Subnetwork", "network-subnet", "ipCidrRange", "10.9.0.0/20"),
        "production: orders/orders",
        "network",
        r"does not reach Cloud SQL \(10\.9\.0\.0/20 at TCP 3307",
    ),
    "a Redis range that is another": (
        put("production", ":Subnetwork", "network-subnet", "ipCidrRange", "10.9.0.0/20"),
        "production: orders/orders",
        "network",
        r"does not reach Redis \(10\.9\.0\.0/20 at TCP 6379",
    ),
    "Jobs that do not reach the databases": (
        gone("production", ":NetworkPolicy", "database-administrator-allow-out"),
        "production: database-rights/orders",
        "network",
        "does not reach Cloud SQL .* egress of database-rights is closed by",
    ),
    "Jobs that may not act as the databases' administrator": (
        gone("staging", "gcp:serviceaccount/iAMMember:IAMMember", "database-administrator-impersonation"),
        "staging: database-rights/orders",
        "identity",
        "database-admin@",
    ),
    "a way in that is closed": (
        gone("production", ":NetworkPolicy", "tenant-orders-allow-in"),
        "production: orders/orders",
        "network",
        "is not reached by load balancers",
    ),
    "proxies of an internal load balancer that are kept out": (
        proxies("production", "10.32.0.0/24"),
        "production: orders/orders",
        "network",
        r"is not reached by load balancers \(10\.32\.0\.0/24 at TCP 8080",
    ),
    "agents that do not reach the controller": (
        gone("ci", ":NetworkPolicy", "jenkins-controller-traffic"),
        "ci: jenkins-tests/test",
        "network",
        "does not reach Jenkins controller .* ingress of jenkins is closed",
    ),
    "a metadata server that is out of reach": (
        put("ci", ":NetworkPolicy", "jenkins-deploy-staging-traffic", "spec egress 2 ports 0 port", 81),
        "ci: jenkins-deploy-staging/deploy-staging",
        "network",
        "does not reach metadata server",
    ),
}


@pytest.mark.parametrize("cause", PLANTED)
def test_each_cause_is_reported(cause: str, shipped: Objects, planned: PodPlan, before: VerifyReport) -> None:
    change, pod, check, what = PLANTED[cause]
    objects = deepcopy(shipped)
    change(objects)
    new = [error for error in report(objects, planned).errors() if error not in before.findings]
    result = [item for item in new if (f"{item.environment}: {item.pod}", item.check) == (pod, check)]
    assert any(_matches(item, what) for item in result), [str(item) for item in new]


def _matches(finding: PodFinding, what: str) -> bool:
    return re.search(what, finding.what) is not None


def copied(folder: Path) -> None:
    """The parts of a checkout that pods come from, to be changed."""
    for part in ("stacks", "services", "delivery"):
        shutil.copytree(ROOT / part, folder / part)


# What the values say


def values(objects: Objects) -> dict[str, Any]:
    return of(objects, "ci", ":Release", "jenkins-release").inputs["values"]


def test_a_request_above_the_limit_of_the_chart_is_reported(
    shipped: Objects, helm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JENKINS_CHART_DIR", raising=False)
    objects = deepcopy(shipped)
    controller = values(objects)["controller"]
    controller["resources"] = {"requests": {"cpu": "3", "memory": "4Gi"}}
    errors = report(objects, plan(objects, ROOT, helm)).errors()
    result = [error.what for error in errors if (error.pod, error.check) == ("jenkins/jenkins-0", "admission")]
    assert result == ["container jenkins requests 3 of cpu, more than its limit of 2"]


def test_gvisor_needs_a_pool_with_it(shipped: Objects, planned: PodPlan) -> None:
    [pod] = [item for item in planned.pods if (item.environment, item.name) == ("ci", "deploy-staging")]
    sandboxed = replace(pod, spec={**pod.spec, "runtimeClassName": "gvisor"})
    changed = replace(planned, pods=[item for item in planned.pods if item != pod] + [sandboxed])
    [result] = [error for error in report(shipped, changed).errors() if error.check == "placement"]
    assert "it has no gVisor" in result.what
    objects = deepcopy(shipped)
    put("ci", ":NodePool", "pools-system", "nodeConfig sandboxConfig", {"type": "GVISOR"})(objects)
    assert not [error for error in report(objects, changed).errors() if error.pod == sandboxed.shown]


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        ({"nodeSelector": {"cloud.google.com/gke-spot": "true"}}, ""),
        ({"nodeSelector": {"team": "a"}}, "its label team is not set and not a"),
        ({"nodeSelector": {"team": "a"}, "tolerations": [{"key": "team", "value": "a", "effect": "NoSchedule"}]}, ""),
        ({"containers": [{"name": "a", "image": "i", "resources": {"requests": {"cpu": "40"}}}]}, "40 of cpu is more"),
        ({"runtimeClassName": "gvisor"}, "it has no gVisor"),
    ],
)
def test_auto_provisioning_adds_nodes_only_for_known_requirements(
    shipped: Objects, planned: PodPlan, spec: dict[str, Any], what: str
) -> None:
    """production has auto-provisioning."""
    here = check_context(shipped, planned).everywhere["production"]
    result = list(placement.check(Pod("production", "orders", "p", "service", spec), here))
    assert [what in item.what for item in result] == ([True] if what else [])


def test_a_chart_value_that_a_deploy_does_not_pass_is_reported(shipped: Objects, helm: Path, tmp_path: Path) -> None:
    """The chart asks for the project; `helm upgrade` once did not say it."""
    copied(tmp_path)
    library = tmp_path / "delivery" / "vars" / "helmRelease.groovy"
    assert services.passed_by(library, "Map open(") == {"environment", "host", "project"}
    library.write_text(library.read_text().replace(" --set-string project='${job.project}'", ""))
    planned = plan(shipped, tmp_path, helm)
    result = [item for item in planned.findings if item.check == "chart"]
    assert {(item.environment, item.pod) for item in result} == {
        ("staging", "orders/orders"),
        ("production", "orders/orders"),
    }
    assert "project: the deploy fills it in" in result[0].what


def test_every_service_has_a_turn_in_a_preview_namespace(shipped: Objects, helm: Path, tmp_path: Path) -> None:
    copied(tmp_path)
    text = (tmp_path / "services" / "orders.yaml").read_text()
    for number in range(5):
        other = re.sub("(database|secrets| {4}rotation): .*", "", text).replace("orders", f"other-{number}")
        (tmp_path / "services" / f"other-{number}.yaml").write_text(other)
    planned = plan(shipped, tmp_path, helm)
    pods = [item for item in planned.pods if item.namespace.startswith("preview-") and item.role == "service"]
    assert {item.turn for item in pods} == {"orders", *(f"other-{number}" for number in range(5))}
    assert {item.namespace for item in pods} == {f"preview-{number}" for number in range(1, 5)}
    # Two services of one namespace are never there together, so their pods are not added up.
    previews = replace(planned, pods=[item for item in planned.pods if item.turn])
    assert not [error for error in report(shipped, previews).errors() if error.check == "admission"]


@pytest.mark.parametrize(
    ("strategy", "most"),
    [
        ({}, 5),  # a quarter of 4
        ({"rollingUpdate": {"maxSurge": "30%"}}, 6),
        ({"rollingUpdate": {"maxSurge": 3}}, 7),
        ({"type": "Recreate"}, 4),
    ],
)
def test_a_roll_out_has_more_pods_than_replicas(strategy: dict[str, Any], most: int) -> None:
    spec = {"replicas": 4, "strategy": strategy, "template": {"spec": {"containers": []}}}
    deployment = {"kind": "Deployment", "metadata": {"name": "a", "namespace": "n"}, "spec": spec}
    assert [pod.most for pod in charts.pods("staging", [deployment], "service")] == [most]


def test_a_library_without_the_container_under_test_is_a_finding(shipped: Objects, helm: Path, tmp_path: Path) -> None:
    copied(tmp_path)
    library = tmp_path / "delivery" / "vars" / "agents.groovy"
    library.write_text(library.read_text().replace("yaml: ", "spec: "))
    [result] = plan(shipped, tmp_path, helm).findings
    assert (result.environment, result.pod) == ("ci", "jenkins/jenkins")
    assert "no pod template for tests" in result.what
