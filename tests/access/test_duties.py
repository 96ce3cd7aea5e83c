"""Duties against rights, in both directions, for the real stacks and for an ephemeral environment."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import yaml
from support import networks
from support.changed import changed
from support.cloud import Simulated, facts

from atwork.access import audit, planned
from atwork.access.binding import Binding
from atwork.access.duties import methods
from atwork.access.duties import table as duty_table
from atwork.access.duties.model import Duty
from atwork.access.model import AccessModel
from atwork.environments.bootstrap import plan as plans
from atwork.environments.bootstrap.plan import BootstrapPlan
from atwork.permissions import calls, roles
from infra.config import STACKS, parse, read_all, read_file
from infra.stack import StackConfig
from tools.access_roles import named_roles

LONG_LIVED = ("ci", "staging", "production")


def ephemeral() -> BootstrapPlan:
    """An ephemeral environment with the settings of staging, in a folder."""
    settings: dict[str, Any] = json.loads(read_file(STACKS / "Pulumi.staging.yaml") or "")
    settings["environment"] = {
        "kind": "ephemeral",
        "owner": "me",
        "created_at": "2027-01-28T18:00:00Z",
        "expires_at": "2027-01-31T18:00:00Z",
    }
    create = {"name": "Demo", "folder_id": "571903264418", "billing_account": "01AB23-CD45EF-678901"}
    settings |= {"project": {"id": "acme-at-work-demo", "create": create}, "encryption": {"covers": []}}
    del settings["gateway"]
    settings["cluster"]["deletion_protection"] = False
    settings["databases"]["main"]["deletion_protection"] = False
    del settings["monitoring"]
    config = StackConfig.model_validate_json(json.dumps(settings))
    return replace(plans.read("staging", STACKS), name="demo", config=config, ephemeral_stacks=frozenset({"demo"}))


def shared() -> BootstrapPlan:
    """Staging in the subnet of a Shared VPC."""
    config = parse("staging", json.dumps(networks.settings()))
    return replace(plans.read("staging", STACKS), config=config)


@pytest.fixture(scope="module")
def bootstrap_plans() -> list[BootstrapPlan]:
    return [plans.read("ci", STACKS), shared(), plans.read("production", STACKS), ephemeral()]


@pytest.fixture(scope="module")
def access(program: AccessModel, bootstrap_plans: list[BootstrapPlan]) -> AccessModel:
    return program.join(planned.model(bootstrap_plans))


@pytest.fixture(scope="module")
def table(stacks: dict[str, Simulated], bootstrap_plans: list[BootstrapPlan]) -> list[Duty]:
    return duty_table.duties(facts(stacks, read_all()), bootstrap_plans)


def test_every_identity_may_do_what_it_does_and_no_more(access: AccessModel, table: list[Duty]) -> None:
    assert len(table) > 100
    assert [str(item) for item in audit.findings(access, table)] == []


def test_no_reason_for_more_is_out_of_date(access: AccessModel, table: list[Duty]) -> None:
    assert audit.unjustified(access, table) == set()


def test_each_binding_is_needed(access: AccessModel, table: list[Duty]) -> None:
    """Without any of the bindings a duty is not allowed: nothing is granted twice, and every check can fail."""
    for binding in access.bindings:
        others = tuple(item for item in access.bindings if item != binding)
        without = replace(access, bindings=others, resources=access.resources | {binding.resource})
        mine = [duty for duty in table if audit.is_same_identity(access, duty.identity, binding.member)]
        assert list(audit.missing(without, mine)), f"{binding.role} of {binding.member} on {binding.resource}"


def test_a_write_permission_that_no_duty_needs_is_reported(access: AccessModel, table: list[Duty]) -> None:
    nodes = "serviceAccount:atwork-ci-nodes@acme-at-work-ci.iam.gserviceaccount.com"
    more = Binding("roles/storage.admin", nodes, "projects/acme-at-work-ci")
    [finding] = audit.findings(replace(access, bindings=(*access.bindings, more)), table)
    assert finding.identity == nodes
    assert "roles/storage.admin on projects/acme-at-work-ci is more than its duties need: " in finding.message


def test_an_identity_without_duties_is_reported(access: AccessModel, table: list[Duty]) -> None:
    stranger = Binding("roles/storage.objectViewer", "user:eve@example.com", "projects/acme-at-work-ci")
    [finding] = audit.findings(replace(access, bindings=(*access.bindings, stranger)), table)
    assert str(finding).startswith("user:eve@example.com: roles/storage.objectViewer on projects/acme-at-work-ci")
    assert "it has no duty there" in finding.message


@pytest.mark.parametrize("stack", LONG_LIVED)
def test_the_calls_of_every_type_of_the_program_are_known(stack: str) -> None:
    inventory = yaml.safe_load((STACKS.parent / "tests" / "golden" / f"{stack}.yaml").read_text())
    types = {key.split()[0] for key in inventory if key.startswith(("gcp:", "kubernetes:"))}
    assert types - calls.TYPES.keys() - calls.KINDS.keys() == set()


def test_pull_requests_read_no_secret_and_write_nothing(access: AccessModel) -> None:
    for name in (*LONG_LIVED, "demo"):
        preview = f"serviceAccount:preview-{name}@acme-at-work-admin.iam.gserviceaccount.com"
        held = {item for binding in access.of(preview) for item in access.permissions(binding.role)}
        assert not held & {
            "container.secrets.get",
            "container.secrets.list",
            "secretmanager.versions.access",
            "artifactregistry.repositories.downloadArtifacts",
            "cloudsql.instances.login",
        }, name
        assert {item for item in held if audit.is_write(item)} == {
            "cloudkms.cryptoKeyVersions.useToDecrypt",
            "container.clusters.connect",
            "serviceusage.services.use",
        }, name


def test_drift_reads_releases_where_there_are_some_and_updates_read_no_value(access: AccessModel) -> None:
    for name in LONG_LIVED:
        project = f"projects/acme-at-work-{name}"
        drift, deploy = (
            f"serviceAccount:{item}-{name}@acme-at-work-admin.iam.gserviceaccount.com" for item in ("drift", "deploy")
        )
        assert bool(access.may(drift, "container.secrets.list", project)) == (name == "ci")
        assert not access.may(drift, "container.secrets.update", project)
        assert not access.may(deploy, "secretmanager.versions.access", project)
        assert access.may(deploy, "secretmanager.secrets.setIamPolicy", project)


def test_updates_use_one_subnet_of_the_host_project_and_change_nothing_there(access: AccessModel) -> None:
    deploy = "serviceAccount:deploy-staging@acme-at-work-admin.iam.gserviceaccount.com"
    host = f"projects/{networks.HOST}"
    assert access.may(deploy, "compute.subnetworks.use", networks.SUBNETWORK)
    for permission in ("compute.subnetworks.use", "resourcemanager.projects.setIamPolicy", "compute.firewalls.create"):
        assert not access.may(deploy, permission, host), permission


def test_the_documentation_lists_the_roles_that_bootstrap_needs() -> None:
    page = (STACKS.parent / "docs" / "bootstrap.md").read_text()
    for role, called in methods.PERSON.items():
        assert f"`{role}`" in page, role
        assert calls.permissions(called) <= roles.permissions(role), role


def test_streaming_images_is_a_duty_in_both_projects(stacks: dict[str, Simulated], program: AccessModel) -> None:
    plan = plans.read("staging", STACKS)
    cluster = changed(plan.config.cluster, image_streaming=True)
    on = replace(plan, config=changed(plan.config, cluster=cluster))
    access = program.join(planned.model([on]))
    own = [duty for duty in duty_table.duties({}, [on]) if "streaming" in duty.does]
    assert {duty.identity.partition("@")[0] for duty in own} == {
        f"serviceAccount:{item}-staging" for item in ("preview", "drift", "deploy")
    }
    assert list(audit.missing(access, own)) == []
    assert list(
        audit.missing(access, [replace(duty, grants=frozenset({"roles/owner"})) for duty in own if duty.grants])
    )


def test_the_role_definitions_are_those_that_are_named() -> None:
    assert roles.names() == named_roles(), "run `python -m tools.access_roles FULL` (docs/access.md)"
    assert "iam-dataset" in roles.source()
    assert "2026-08-22" in roles.source()
