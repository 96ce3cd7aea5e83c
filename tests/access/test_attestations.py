"""Attestations: only the promote job signs, every identity may do its part, and each policy asks for them."""

from __future__ import annotations

from typing import Any

import pytest
from support import signing
from support.cloud import Simulated, facts, projects, simulated

from atwork.access import audit, planned
from atwork.access import simulated as cloud
from atwork.access.duties import table
from atwork.access.model import AccessModel
from atwork.access.pods import PodAccount
from atwork.environments.bootstrap.plan import BootstrapPlan
from components.jenkins import names
from components.type_tokens import ATTESTOR, BINARY_AUTHORIZATION_POLICY
from infra import company
from infra.config import STACKS
from infra.stack import StackConfig

SIGN = "cloudkms.cryptoKeyVersions.useToSign"
POLICY = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"
NOTE = "projects/acme-at-work-ci/notes/platform-releases"
RELEASED = "europe-docker.pkg.dev/acme-at-work-ci/services"


def after_updates(monkeypatch: pytest.MonkeyPatch, attestation: str) -> dict[str, Simulated]:
    configs = signing.environments(attestation)

    def read(*_: object, **__: object) -> dict[str, StackConfig]:
        return configs

    monkeypatch.setattr("infra.environment.read_all", read)
    return {name: simulated(name, signing.changed(name, attestation), configs) for name in configs}


def plans(configs: dict[str, StackConfig]) -> list[BootstrapPlan]:
    platform = company.read(STACKS)
    return [
        BootstrapPlan(name, config, platform, upstream_project=configs[config.upstream].project.id)
        if config.upstream
        else BootstrapPlan(name, config, platform)
        for name, config in configs.items()
    ]


def model(simulations: dict[str, Simulated], configs: dict[str, StackConfig]) -> AccessModel:
    objects = [item for simulation in simulations.values() for item in simulation.objects]
    return cloud.model(objects, projects(configs.values())).join(planned.model(plans(configs)))


def test_only_the_promote_job_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    access = model(after_updates(monkeypatch, "enforce"), signing.environments())
    [key] = [name for name in access.resources if name.endswith("/cryptoKeys/releases")]
    promote = PodAccount("acme-at-work-ci", names.target_namespace(names.PROMOTE_CLOUD), names.DEPLOY_ACCOUNT)
    assert {decision.principal for decision in access.who(SIGN, key)} == {promote.identity}
    build = PodAccount("acme-at-work-ci", names.AGENTS_NAMESPACE, names.AGENT_ACCOUNT)
    for permission, resource in (
        (SIGN, key),
        ("cloudkms.cryptoKeys.setIamPolicy", key),
        ("containeranalysis.notes.attachOccurrence", NOTE),
        ("containeranalysis.occurrences.create", "projects/acme-at-work-ci"),
    ):
        assert not access.may(build.identity, permission, resource), permission


def test_an_update_of_an_environment_changes_what_no_other_one_trusts(monkeypatch: pytest.MonkeyPatch) -> None:
    access = model(after_updates(monkeypatch, "enforce"), signing.environments())
    update = "serviceAccount:deploy-staging@acme-at-work-admin.iam.gserviceaccount.com"
    attestor = "projects/{}/attestors/platform-releases"
    assert access.may(update, "binaryauthorization.attestors.update", attestor.format("acme-at-work-staging"))
    for verb in ("create", "update", "delete"):
        permission = f"binaryauthorization.attestors.{verb}"
        assert not access.may(update, permission, attestor.format("acme-at-work-production"))
    [key] = [name for name in access.resources if name.endswith("/cryptoKeys/releases")]
    assert not access.may(update, "cloudkms.cryptoKeys.setIamPolicy", key)


@pytest.mark.parametrize("attestation", ["log", "enforce"])
def test_every_identity_may_do_its_part_and_no_more(monkeypatch: pytest.MonkeyPatch, attestation: str) -> None:
    simulations, configs = after_updates(monkeypatch, attestation), signing.environments(attestation)
    findings = audit.findings(model(simulations, configs), table.duties(facts(simulations, configs), plans(configs)))
    assert [str(finding) for finding in findings] == []


def policy(simulation: Simulated) -> dict[str, Any]:
    [only] = simulation.recording.of_type(BINARY_AUTHORIZATION_POLICY).values()
    return only.inputs


def test_enforced_attestations_take_the_place_of_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, simulation in after_updates(monkeypatch, "enforce").items():
        rule = policy(simulation)["defaultAdmissionRule"]
        patterns = [entry["namePattern"] for entry in policy(simulation)["admissionWhitelistPatterns"]]
        if name == "ci":
            assert rule["evaluationMode"] == "ALWAYS_DENY"
            continue
        assert rule == {
            "evaluationMode": "REQUIRE_ATTESTATION",
            "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG",
            "requireAttestationsBies": [f"projects/acme-at-work-{name}/attestors/platform-releases"],
        }
        assert not any(pattern.startswith(RELEASED) for pattern in patterns)
        assert "image-sources" not in {
            item.inputs["metadata"]["name"] for item in simulation.recording.of_type(POLICY).values()
        }
        [attestor] = simulation.recording.of_type(ATTESTOR).values()
        authority = attestor.inputs["attestationAuthorityNote"]
        assert authority["noteReference"] == NOTE
        [key] = authority["publicKeys"]
        assert key["pkixPublicKey"] == {"publicKeyPem": signing.PEM, "signatureAlgorithm": "EC_SIGN_P256_SHA256"}
        assert key["id"].startswith("//cloudkms.googleapis.com/v1/projects/acme-at-work-ci/")
        assert key["id"].endswith("/cryptoKeys/releases/cryptoKeyVersions/1")


def test_while_attestations_are_logged_the_api_server_refuses_what_was_refused_before(
    monkeypatch: pytest.MonkeyPatch, stacks: dict[str, Simulated]
) -> None:
    for name, simulation in after_updates(monkeypatch, "log").items():
        if name == "ci":
            continue
        rule = policy(simulation)["defaultAdmissionRule"]
        assert (rule["evaluationMode"], rule["enforcementMode"]) == ("REQUIRE_ATTESTATION", "DRYRUN_AUDIT_LOG_ONLY")
        before = [entry["namePattern"] for entry in policy(stacks[name])["admissionWhitelistPatterns"]]
        assert f"{RELEASED}/**" in before
        [sources] = [
            item.inputs["spec"]
            for item in simulation.recording.of_type(POLICY).values()
            if item.inputs["metadata"]["name"] == "image-sources"
        ]
        for validation in sources["validations"]:
            for pattern in before:
                assert f"'{pattern.removesuffix('**')}'" in validation["expression"], pattern
        [enforced] = simulation.recording.of_type(BINARY_AUTHORIZATION_POLICY).values()
        assert any("image-sources" in urn or "images-sources" in urn for urn in enforced.depends_on)
