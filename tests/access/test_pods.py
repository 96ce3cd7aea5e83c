"""Annotated accounts in the real stacks: each acts as its Google account, and nothing is granted to its own principal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.cloud import Simulated, projects, simulated
from support.mocks import Recording

from atwork.access import simulated as cloud
from atwork.access.binding import Binding
from atwork.access.model import AccessModel
from atwork.access.pods import PodAccount, mistakes
from atwork.sandbox.access_model import external_accounts
from components.identity import ANNOTATION
from infra.config import read_all

EXTERNAL = external_accounts(read_all())


def accounts(project: str, recording: Recording) -> Iterator[PodAccount]:
    for item in recording.of_type("kubernetes:core/v1:ServiceAccount").values():
        metadata = item.inputs["metadata"]
        yield PodAccount(
            project, metadata["namespace"], metadata["name"], metadata.get("annotations", {}).get(ANNOTATION)
        )


@pytest.fixture(scope="module")
def pods(stacks: dict[str, Simulated]) -> list[PodAccount]:
    environments = read_all()
    return [
        item
        for name, simulation in stacks.items()
        for item in accounts(environments[name].project.id, simulation.recording)
    ]


def test_the_stacks_have_annotated_accounts_of_each_kind(pods: list[PodAccount]) -> None:
    annotated = {f"{item.namespace}/{item.name}" for item in pods if item.annotation}
    assert {"orders/orders", "jenkins-deploy-staging/deployer", "jenkins-previews-staging/deployer"} <= annotated


def test_no_annotated_account_is_granted_by_principal(program: AccessModel, pods: list[PodAccount]) -> None:
    assert list(mistakes(program, pods, EXTERNAL)) == []


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_a_service_with_a_database_reads_its_secrets(
    program: AccessModel, pods: list[PodAccount], environment: str
) -> None:
    project = f"acme-at-work-{environment}"
    orders = next(item for item in pods if (item.project, item.namespace, item.name) == (project, "orders", "orders"))
    secret = f"projects/{project}/secrets/orders-payment-gateway"
    login = f"orders-sql@{project}.iam.gserviceaccount.com"
    assert orders.annotation == login
    assert program.may_act_as(orders.principal, login)
    assert program.may(orders.identity, "secretmanager.versions.access", secret)
    assert not program.may(orders.principal, "secretmanager.versions.access", secret)


def test_a_service_without_a_database_reads_as_itself() -> None:
    tenant = {"owner": "team", "accounts": ["web"], "secrets": {"token": {"readers": ["web"]}}}
    objects, _ = simulated("staging", {"tenants": {"web": tenant}})
    model = cloud.model(objects, projects(read_all().values()))
    pod = PodAccount("acme-at-work-staging", "web", "web")
    assert model.may(pod.identity, "secretmanager.versions.access", "projects/acme-at-work-staging/secrets/web-token")


def test_both_mistakes_are_reported() -> None:
    pod = PodAccount("acme", "orders", "orders", "app@acme.iam.gserviceaccount.com")
    resources = frozenset({"projects/acme", "projects/acme/serviceAccounts/app@acme.iam.gserviceaccount.com"})
    model = AccessModel((Binding("roles/cloudsql.client", pod.principal, "projects/acme"),), resources=resources)
    first, second = mistakes(model, [pod], {})
    assert "may not act as app@acme" in first
    assert "roles/cloudsql.client on projects/acme is granted to the pods' own identity" in second
