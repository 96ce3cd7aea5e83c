"""Settings of signatures: what one environment signs, others require, with keys that are in a stack file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from support import signing
from support.program import run_stack

from components.binary_authorization_bypass import POLICY
from components.image_sources import allowed
from infra.config import STACKS, parse, read_file
from infra.environment_rules import check_together
from infra.errors import ConfigError


def text(stack: str, **changes: Any) -> str:
    return json.dumps(json.loads(read_file(STACKS / f"Pulumi.{stack}.yaml") or "{}") | changes)


def test_environments_that_sign_and_require_fit_together() -> None:
    check_together(signing.environments("enforce"))


@pytest.mark.parametrize(
    ("signs", "message"),
    [
        (None, r"staging\.yaml: .*attestation: nobody signs releases; add release_signing to stacks/Pulumi\.ci\.yaml"),
        (
            {},
            r"production\.yaml: .*attestation: no public key is trusted; add release_signing\.public_keys to stacks/P",
        ),
    ],
)
def test_who_requires_attestations_needs_a_signer_and_its_key(signs: object, message: str) -> None:
    environments = signing.environments("log") | {"ci": parse("ci", text("ci", release_signing=signs))}
    with pytest.raises(ConfigError, match=message):
        check_together(environments)


def test_an_environment_that_builds_requires_no_attestation() -> None:
    with pytest.raises(ConfigError, match=r"attestation: log needs upstream, which signs what runs here"):
        parse("ci", text("ci", binary_authorization={"attestation": "log"}))


@pytest.mark.parametrize(
    ("settings", "kinds"),
    [({}, ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"]), ({"enforced": False}, [])],
)
def test_pods_may_not_ask_to_be_left_out_where_images_are_refused(settings: dict[str, Any], kinds: list[str]) -> None:
    resources = run_stack("production", {"binary_authorization": settings}).resources.values()
    assert kinds == [
        item.type.rpartition(":")[2] for item in resources if item.inputs.get("metadata", {}).get("name") == POLICY
    ]


RSA = "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf\n-----END PUBLIC KEY-----\n"


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "ssh-ed25519 AAAA",
        signing.PEM.replace("PUBLIC", "PRIVATE"),
        signing.PEM.replace("M", "!"),
        "\n".join(signing.PEM.splitlines()[:-2]),
        signing.public_key(ec.generate_private_key(ec.SECP384R1())),
        RSA,
    ],
    ids=["nothing", "SSH", "private", "no base64", "cut", "another curve", "RSA"],
)
def test_only_a_whole_public_key_of_the_curve_is_accepted(pem: str) -> None:
    message = r"release_signing\.public_keys\.1: is not a public key of the curve P-256 in PEM; write what `gcloud kms"
    with pytest.raises(ConfigError, match=message):
        parse("ci", text("ci", release_signing={"public_keys": {"1": pem}}))


def test_a_public_key_may_have_empty_lines_around_it() -> None:
    config = parse("ci", text("ci", release_signing={"public_keys": {"1": f"\n{signing.PEM}\n"}}))
    assert config.release_signing is not None
    assert config.release_signing.public_keys == {"1": signing.PEM}


@pytest.mark.parametrize(
    ("pattern", "expression"),
    [
        ("r.dev/p/services/**", "image.startsWith('r.dev/p/services/')"),
        ("r.dev/p/tools/*", "image.matches('^r[.]dev/p/tools/[^/]+$')"),
        ("r.dev/p/a:*", "image.startsWith('r.dev/p/a:')"),
        ("r.dev/p/a@*", "image.startsWith('r.dev/p/a@')"),
        ("r.dev/p/a:1", "image == 'r.dev/p/a:1'"),
    ],
)
def test_a_pattern_of_binary_authorization_is_an_expression_of_the_api_server(pattern: str, expression: str) -> None:
    assert allowed(pattern) == expression
