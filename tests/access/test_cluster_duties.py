"""RBAC inside the clusters of the real stacks: every duty is allowed, and nothing else."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from support.cloud import Simulated

from atwork.access import cluster_duties
from atwork.access.rbac import ApiRequest, Rbac
from infra.catalog import read_all as read_services
from infra.config import STACKS, read_all
from infra.layout import SERVICES_FOLDER
from infra.service_composition import complete
from infra.stack import StackConfig

RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"


def objects(simulation: Simulated) -> list[tuple[str, dict[str, Any]]]:
    return [
        (item.type.rpartition(":")[2], item.inputs)
        for item in simulation.recording.resources.values()
        if item.type.startswith(RBAC)
    ]


@pytest.fixture(scope="module")
def configs() -> dict[str, StackConfig]:
    catalog = read_services(STACKS.parent / SERVICES_FOLDER)
    return {name: complete(name, config, catalog) for name, config in read_all().items()}


@pytest.mark.parametrize("name", ["ci", "staging", "production"])
def test_every_subject_may_do_what_it_does(
    name: str, stacks: dict[str, Simulated], configs: dict[str, StackConfig]
) -> None:
    duties = list(cluster_duties.duties(configs[name]))
    assert duties
    assert [str(item) for item in cluster_duties.missing(name, Rbac(objects(stacks[name])), duties)] == []


@pytest.mark.parametrize("name", ["ci", "staging", "production"])
def test_each_role_binding_is_needed(name: str, stacks: dict[str, Simulated], configs: dict[str, StackConfig]) -> None:
    all_objects, duties = objects(stacks[name]), list(cluster_duties.duties(configs[name]))
    bindings = [item for kind, item in all_objects if kind == "RoleBinding"]
    assert bindings
    for binding in bindings:
        without = [(kind, item) for kind, item in all_objects if item is not binding]
        assert list(cluster_duties.missing(name, Rbac(without), duties)), binding["metadata"]


def test_nobody_reaches_another_namespace(stacks: dict[str, Simulated]) -> None:
    ci, staging = (Rbac(objects(stacks[name])) for name in ("ci", "staging"))
    controller = "ServiceAccount:jenkins/jenkins"
    assert not ci.may(controller, ApiRequest("create", "pods", "jenkins-deploy-production"))
    assert not ci.may(
        "ServiceAccount:jenkins/jenkins-deploy-staging", ApiRequest("create", "pods", "jenkins-deploy-production")
    )
    previews = "User:platform-preview-namespaces@acme-at-work-staging.iam.gserviceaccount.com"
    assert not staging.may(previews, ApiRequest("impersonate", "serviceaccounts", "orders", name="orders"))
    assert not staging.may(previews, ApiRequest("impersonate", "serviceaccounts", "preview-1", name="default"))
    assert not staging.may("ServiceAccount:preview-1/deployer", ApiRequest("create", "pods", "preview-2"))
    google = "User:platform-deployer@acme-at-work-staging.iam.gserviceaccount.com"
    assert not staging.may(google, ApiRequest("get", "secrets", "orders"))
    assert not staging.may(google, ApiRequest("create", "deployments", "orders", "apps"))
    assert not staging.may(google, ApiRequest("impersonate", "serviceaccounts", "orders", name="orders"))
    assert not staging.may(google, ApiRequest("impersonate", "serviceaccounts", "preview-1", name="deployer"))
    deployer = "ServiceAccount:orders/deployer"
    assert not staging.may(deployer, ApiRequest("create", "rolebindings", "orders", "rbac.authorization.k8s.io"))
    for group, kind in (("gateway.networking.k8s.io", "gateways"), ("networking.gke.io", "gcpbackendpolicies")):
        assert not staging.may(deployer, ApiRequest("create", kind, "orders", group))
    assert not staging.may(deployer, ApiRequest("patch", "namespaces", "orders", name="orders"))
    for namespace in ("kube-system", "preview-1", ""):  # a namespace that a chart names, and a `lookup` in all
        assert not staging.may(deployer, ApiRequest("list", "secrets", namespace))
        assert not staging.may(deployer, ApiRequest("create", "deployments", namespace, "apps"))
    assert not staging.may("Group:engineers@example.com", ApiRequest("get", "secrets", "orders"))
    assert staging.may("Group:engineers@example.com", ApiRequest("get", "pods", "orders"))
    assert not staging.may("Group:engineers@example.com", ApiRequest("delete", "pods", "orders"))
    assert staging.may("Group:team-orders@example.com", ApiRequest("create", "pods/exec", "orders"))


def test_what_is_not_allowed_is_named(stacks: dict[str, Simulated], configs: dict[str, StackConfig]) -> None:
    all_objects = deepcopy(objects(stacks["staging"]))
    for kind, item in all_objects:
        if kind == "ClusterRole" and item["metadata"]["name"] == "atwork-edit":
            item["rules"] = [rule for rule in item["rules"] if "gateway.networking.k8s.io" not in rule["apiGroups"]]
    findings = list(cluster_duties.missing("staging", Rbac(all_objects), cluster_duties.duties(configs["staging"])))
    assert {finding.identity for finding in findings} == {"ServiceAccount:orders/deployer"}
    assert "may not deploy orders: create httproutes.gateway.networking.k8s.io in orders of staging" in {
        finding.message for finding in findings
    }
