"""The identities of another CI system: their rights are equal to their duties, as for Jenkins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.cloud import Simulated, facts, projects, simulated
from support.external_ci import EXTERNAL_CI, WITHOUT_JENKINS, environments

from atwork.access import audit
from atwork.access import simulated as cloud
from atwork.access.commands import acts_as, find
from atwork.access.duties import table as duty_table
from atwork.access.duties.methods import GET_TOKEN, PUSH
from atwork.access.duties.model import Duty
from atwork.access.model import AccessModel
from atwork.permissions import calls
from infra.stack import StackConfig

BUILDER: str = EXTERNAL_CI["builders"]["orders"]
RELEASES: dict[str, str] = {name: deploy["releases"] for name, deploy in EXTERNAL_CI["deploys"].items()}
PREVIEWS: str = EXTERNAL_CI["deploys"]["staging"]["preview_namespaces"]
IDENTITIES = (BUILDER, *RELEASES.values(), PREVIEWS)
REGISTRY = "projects/acme-at-work-ci/locations/europe/repositories"


def account(environment: str, role: str = "deployer") -> str:
    return f"platform-{role}@acme-at-work-{environment}.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def configs() -> dict[str, StackConfig]:
    return environments(WITHOUT_JENKINS)


@pytest.fixture(scope="module")
def simulations(configs: dict[str, StackConfig]) -> dict[str, Simulated]:
    changes = {"ci": WITHOUT_JENKINS}
    return {name: simulated(name, changes.get(name), environments=configs) for name in ("ci", "staging", "production")}


@pytest.fixture(scope="module")
def access(configs: dict[str, StackConfig], simulations: dict[str, Simulated]) -> AccessModel:
    objects = [item for simulation in simulations.values() for item in simulation.objects]
    return cloud.model(objects, projects(configs.values()))


@pytest.fixture(scope="module")
def table(configs: dict[str, StackConfig], simulations: dict[str, Simulated]) -> list[Duty]:
    return duty_table.duties(facts(simulations, configs), [])


def test_every_identity_may_do_what_it_does_and_no_more(access: AccessModel, table: list[Duty]) -> None:
    assert {duty.identity for duty in table} >= set(IDENTITIES)
    assert [str(finding) for finding in audit.findings(access, table)] == []


def test_no_duty_and_no_binding_is_of_jenkins(access: AccessModel, table: list[Duty]) -> None:
    assert [duty.identity for duty in table if "jenkins" in duty.identity] == []
    assert [member for member in access.members() if "jenkins" in member] == []


@pytest.mark.parametrize("identity", IDENTITIES)
def test_the_command_knows_an_identity_by_its_principal(identity: str, access: AccessModel) -> None:
    assert find(access, identity) == identity


@pytest.mark.parametrize("identity", IDENTITIES)
def test_each_binding_of_an_identity_is_needed(identity: str, access: AccessModel, table: list[Duty]) -> None:
    bindings = access.of(identity)
    assert bindings
    for binding in bindings:
        others = tuple(other for other in access.bindings if other != binding)
        without = replace(access, bindings=others, resources=access.resources | {binding.resource})
        duties = [duty for duty in table if duty.identity == identity]
        assert list(audit.missing(without, duties)), f"{binding.role} on {binding.resource}"


def test_a_builder_pushes_to_the_repositories_and_deploys_nowhere(access: AccessModel) -> None:
    for permission in calls.permissions(PUSH):
        for repository in ("candidates", "services", "charts", "cache"):
            assert access.may(BUILDER, permission, f"{REGISTRY}/{repository}"), permission
    assert not access.may(BUILDER, "artifactregistry.repositories.uploadArtifacts", f"{REGISTRY}/docker-hub")
    assert acts_as(access, BUILDER) == []


def test_a_deployer_acts_only_as_the_account_of_its_environment(access: AccessModel) -> None:
    assert {name: acts_as(access, identity) for name, identity in RELEASES.items()} == {
        name: [account(name)] for name in RELEASES
    }
    assert acts_as(access, PREVIEWS) == [account("staging", "preview-namespaces")]
    for identity in (*RELEASES.values(), PREVIEWS):
        assert not access.may(identity, "artifactregistry.repositories.uploadArtifacts", f"{REGISTRY}/services")


def test_a_missing_grant_is_reported(access: AccessModel, table: list[Duty]) -> None:
    """A binding for another identity, as after a typo in `external_ci.deploys`."""
    staging = RELEASES["staging"]
    wrong = tuple(
        replace(binding, member=f"{staging}-2") if binding.member == staging else binding for binding in access.bindings
    )
    findings = {str(finding) for finding in audit.findings(replace(access, bindings=wrong), table)}
    (permission,) = calls.permissions(GET_TOKEN)
    resource = f"projects/acme-at-work-staging/serviceAccounts/{account('staging')}"
    assert any(
        finding.startswith(f"{staging}: may not act as {account('staging')}: {permission} on {resource}")
        for finding in findings
    )
    assert any(finding.startswith(f"{staging}-2: roles/iam.workloadIdentityUser") for finding in findings)
