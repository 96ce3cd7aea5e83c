"""Kubernetes verbs: who may do what inside the clusters of the real stacks."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from support.cloud import Simulated

from atwork.access import inside
from atwork.access.rbac import Rbac, Request
from infra import services
from infra.config import STACKS, read_all
from infra.layout import SERVICES_FOLDER
from infra.services import complete
from infra.stack import StackConfig

RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"


def objects(made: Simulated) -> list[tuple[str, dict[str, Any]]]:
    return [
        (one.type.rpartition(":")[2], one.inputs)
        for one in made.recording.resources.values()
        if one.type.startswith(RBAC)
    ]


@pytest.fixture(scope="module")
def configs() -> dict[str, StackConfig]:
    catalogue = services.read_all(STACKS.parent / SERVICES_FOLDER)
    return {name: complete(name, config, catalogue) for name, config in read_all().items()}


@pytest.mark.parametrize("name", ["ci", "staging", "production"])
def test_every_subject_may_do_what_it_does(
    name: str, stacks: dict[str, Simulated], configs: dict[str, StackConfig]
) -> None:
    duties = list(inside.of(configs[name]))
    assert duties
    assert [str(one) for one in inside.missing(name, Rbac(objects(stacks[name])), duties)] == []


@pytest.mark.parametrize("name", ["ci", "staging", "production"])
def test_each_role_binding_of_a_machine_is_needed(
    name: str, stacks: dict[str, Simulated], configs: dict[str, StackConfig]
) -> None:
    every, duties = objects(stacks[name]), list(inside.of(configs[name]))
    machines = [one for kind, one in every if kind == "RoleBinding" and one["subjects"][0]["kind"] != "Group"]
    assert machines
    for binding in machines:
        without = [(kind, one) for kind, one in every if one is not binding]
        assert list(inside.missing(name, Rbac(without), duties)), binding["metadata"]


def test_nobody_reaches_another_namespace(stacks: dict[str, Simulated]) -> None:
    ci, staging = (Rbac(objects(stacks[name])) for name in ("ci", "staging"))
    controller = "ServiceAccount:jenkins/jenkins"
    assert not ci.may(controller, Request("create", "pods", "jenkins-deploy-production"))
    assert not ci.may(
        "ServiceAccount:jenkins/jenkins-deploy-staging", Request("create", "pods", "jenkins-deploy-production")
    )
    popups = "User:platform-popups@acme-at-work-staging.iam.gserviceaccount.com"
    assert not staging.may(popups, Request("impersonate", "serviceaccounts", "orders", name="orders"))
    assert not staging.may(popups, Request("impersonate", "serviceaccounts", "popup-1", name="default"))
    assert not staging.may("ServiceAccount:popup-1/deployer", Request("create", "pods", "popup-2"))
    deployer = "User:platform-deployer@acme-at-work-staging.iam.gserviceaccount.com"
    assert not staging.may(deployer, Request("create", "rolebindings", "orders", "rbac.authorization.k8s.io"))
    assert not staging.may(deployer, Request("list", "secrets", "kube-system"))
    assert not staging.may("Group:engineers@example.com", Request("get", "secrets", "orders"))
    assert staging.may("Group:engineers@example.com", Request("get", "pods", "orders"))


def test_what_is_not_allowed_is_named(stacks: dict[str, Simulated], configs: dict[str, StackConfig]) -> None:
    every = deepcopy(objects(stacks["staging"]))
    for kind, one in every:
        if kind == "ClusterRole" and one["metadata"]["name"] == "atwork-edit":
            one["rules"] = [rule for rule in one["rules"] if "gateway.networking.k8s.io" not in rule["apiGroups"]]
    found = list(inside.missing("staging", Rbac(every), inside.of(configs["staging"])))
    assert {one.identity for one in found} == {"User:platform-deployer@acme-at-work-staging.iam.gserviceaccount.com"}
    assert "may not deploy orders: create httproutes.gateway.networking.k8s.io in orders of staging" in {
        one.message for one in found
    }
