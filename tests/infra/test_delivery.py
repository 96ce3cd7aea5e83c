"""Delivery is an optional part: the program runs with Jenkins, with another CI system, and without either."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.external_ci import EXTERNAL_CI, POOL, WITHOUT_JENKINS, environments
from support.program import PLATFORM, cloud, run_stack

from infra.delivery import job_files
from infra.delivery.settings import DeliverySettings
from infra.environment_rules import check_together
from infra.errors import ConfigError

DEPLOYERS = {
    "deploy-staging": f"{POOL}/attribute.environment/staging",
    "previews-staging": f"{POOL}/attribute.environment/pr",
    "deploy-production": f"{POOL}/attribute.environment/production",
}
GRANT = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"


def test_builds_of_another_ci_system_push_to_the_registry_and_jenkins_is_not_declared() -> None:
    recording = run_stack("ci", WITHOUT_JENKINS)
    assert not [resource for resource in recording.resources.values() if "jenkins" in resource.urn.lower()]
    grants = {
        grant.inputs["role"].rpartition(".")[2]: grant.inputs["member"]
        for name, grant in recording.of_type(GRANT).items()
        if name.startswith("external-ci-orders-")
    }
    assert grants == dict.fromkeys(("writer", "reader"), EXTERNAL_CI["builders"]["orders"])
    component = recording.resource("atwork:external_ci:ExternalCi", "external-ci")
    assert component.outputs == {"identities": DEPLOYERS, "preview_images": []}


@pytest.mark.parametrize("stack", ["staging", "production"])
def test_its_identities_become_the_deployer_of_each_environment(stack: str) -> None:
    def outputs(token: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        if token == "pulumi:pulumi:StackReference":
            return {"outputs": {"platform": {**PLATFORM, "deployers": DEPLOYERS}}}
        return cloud(token, name, inputs)

    recording = run_stack(stack, outputs=outputs)
    binding = recording.resource("gcp:serviceaccount/iAMMember:IAMMember", "access-deployer-impersonation")
    assert binding.inputs["member"] == DEPLOYERS[f"deploy-{stack}"]


def test_the_registry_composes_without_any_delivery_system(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = {"ci": environments({"jenkins": None})["ci"]}
    monkeypatch.setattr("infra.environment.read_all", lambda *_, **__: alone)
    monkeypatch.setattr("infra.environment.services_in", lambda _, without: {})
    recording = run_stack("ci", {"jenkins": None})
    assert "registry-services" in recording.of_type("gcp:artifactregistry/repository:Repository")
    assert not recording.of_type("atwork:external_ci:ExternalCi")


def test_the_files_agree_with_another_ci_system_and_do_not_without_one() -> None:
    check_together(environments(WITHOUT_JENKINS))
    with pytest.raises(
        ConfigError, match=r"staging\.yaml: .*preview_namespaces: nobody deploys to them; add jenkins\.deploys"
    ):
        check_together(environments({"jenkins": None}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"external_ci": EXTERNAL_CI}, "jenkins and external_ci exclude each other"),
        ({**WITHOUT_JENKINS, "registry": None}, "external_ci needs registry in the same stack"),
        ({**WITHOUT_JENKINS, "external_ci": {**EXTERNAL_CI, "builders": {}}}, r"external_ci\.builders"),
        ({**WITHOUT_JENKINS, "external_ci": {"builders": {"all": "allUsers"}}}, r"external_ci\.builders\.all"),
    ],
)
def test_a_choice_that_cannot_work_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        environments(change)


def test_an_unknown_environment_is_named_with_the_key_of_the_section() -> None:
    deploys = {**EXTERNAL_CI["deploys"], "demo": {"releases": f"{POOL}/attribute.environment/demo"}}
    with pytest.raises(ConfigError, match=r"external_ci\.deploys\.demo: there is no stacks/Pulumi\.demo\.yaml"):
        check_together(environments({"jenkins": None, "external_ci": {**EXTERNAL_CI, "deploys": deploys}}))


def test_no_section_means_no_targets_and_no_secrets() -> None:
    nothing = DeliverySettings()
    assert (nothing.deploy_targets(), nothing.delivery_secrets(), nothing.delivery_key) == ({}, (), None)


def test_a_stack_without_jenkins_does_not_load_its_resources() -> None:
    program = "import sys, infra.parts.delivery; print('components.jenkins.jenkins' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
    )


def test_state_of_preview_namespaces_under_their_earlier_names_is_kept() -> None:
    recording = run_stack("staging")
    aliases = {component.name: component.aliases for component in recording.components() if component.aliases}
    assert aliases == {
        "preview-access": (("popup-access", "atwork:access:PopupAccess"),),
        "preview-namespaces": (("popups", "atwork:popups:Popups"),),
    }


def test_a_checkout_without_the_files_of_the_jobs_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_files, "FOLDER", tmp_path)
    with pytest.raises(ConfigError, match=r"^delivery/jobs: no \*\.groovy defines Jenkins' jobs; restore"):
        job_files.job_files()
