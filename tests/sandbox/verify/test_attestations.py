"""Which images Binary Authorization admits where it requires attestations: by pattern, by attestation, or not at all."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from support.signing import public_key

from atwork.access.binding import Binding
from atwork.access.model import AccessModel
from atwork.sandbox.verify.binary_authorization import EXAMPLE_DIGEST, check
from atwork.sandbox.verify.environments import EnvironmentObjects
from atwork.sandbox.verify.model import Pod
from components.type_tokens import ATTESTOR, BINARY_AUTHORIZATION_POLICY, CLUSTER, OCCURRENCE, SERVICE_IDENTITY

REGISTRY = "europe-docker.pkg.dev/ci"
KEY = "projects/ci/locations/l/keyRings/r/cryptoKeys/releases"
NOTE = "projects/ci/notes/platform-releases"
AGENT = "serviceAccount:service-1@gcp-sa-binaryauthorization.iam.gserviceaccount.com"
PRIVATE = ec.generate_private_key(ec.SECP256R1())
STRANGER = ec.generate_private_key(ec.SECP256R1())
SIGNED, UNSIGNED = (f"sha256:{character * 64}" for character in "ab")
READS = Binding("roles/containeranalysis.notes.occurrences.viewer", AGENT, NOTE, None, "")
SIGNS = Binding("roles/cloudkms.signer", "serviceAccount:ci.svc.id.goog[jenkins-promote/deployer]", KEY, None, "")


def occurrence(digest: str, private: ec.EllipticCurvePrivateKey = PRIVATE, **changes: Any) -> dict[str, Any]:
    """An attestation as the promote job writes it; `changes` are of the payload's critical part."""
    critical = {
        "identity": {"docker-reference": f"{REGISTRY}/services/orders"},
        "image": {"docker-manifest-digest": digest},
        "type": "Google cloud binauthz container signature",
    } | changes
    payload = json.dumps({"critical": critical}).encode()
    signature = base64.b64encode(private.sign(payload, ec.ECDSA(hashes.SHA256()))).decode()
    key = f"//cloudkms.googleapis.com/v1/{KEY}/cryptoKeyVersions/1"
    return {
        "noteName": NOTE,
        "resourceUri": f"https://{REGISTRY}/services/orders@{digest}",
        "attestation": {
            "serializedPayload": base64.b64encode(payload).decode(),
            "signatures": [{"publicKeyId": key, "signature": signature}],
        },
    }


def environment(occurrences: list[dict[str, Any]], mode: str = "ENFORCED_BLOCK_AND_AUDIT_LOG") -> EnvironmentObjects:
    attestor = "projects/staging/attestors/platform-releases"
    public = {"publicKeyPem": public_key(PRIVATE), "signatureAlgorithm": "EC_SIGN_P256_SHA256"}
    key = {"id": f"//cloudkms.googleapis.com/v1/{KEY}/cryptoKeyVersions/1", "pkixPublicKey": public}
    google: dict[str, list[Any]] = {
        CLUSTER: [{"binaryAuthorization": {"evaluationMode": "PROJECT_SINGLETON_POLICY_ENFORCE"}}],
        BINARY_AUTHORIZATION_POLICY: [
            {
                "defaultAdmissionRule": {
                    "evaluationMode": "REQUIRE_ATTESTATION",
                    "enforcementMode": mode,
                    "requireAttestationsBies": [attestor],
                },
                "admissionWhitelistPatterns": [{"namePattern": f"{REGISTRY}/candidates/**"}],
            }
        ],
        ATTESTOR: [{"id": attestor, "attestationAuthorityNote": {"noteReference": NOTE, "publicKeys": [key]}}],
        SERVICE_IDENTITY: [{"service": "binaryauthorization.googleapis.com", "member": AGENT}],
        OCCURRENCE: occurrences,
    }
    return EnvironmentObjects("staging", google, {})


def refused(image: str, here: EnvironmentObjects, *bindings: Binding) -> str:
    pod = Pod("staging", "orders", "orders", "service", {})
    model = AccessModel(bindings or (READS, SIGNS), {}, frozenset({NOTE, KEY}), {}, {})
    return "".join(finding.what for finding in check(pod, image, here, model))


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (f"{REGISTRY}/services/orders@{SIGNED}", ""),
        (f"example.com/copy@{SIGNED}", ""),  # the same content in another place
        (f"{REGISTRY}/candidates/orders@{UNSIGNED}", ""),  # by a pattern
        (f"{REGISTRY}/services/orders@{EXAMPLE_DIGEST}", ""),  # any image that the promote job releases
        (
            f"{REGISTRY}/services/orders@{UNSIGNED}",
            f"{NOTE} has no attestation of {UNSIGNED} with a key that it trusts",
        ),
        (f"{REGISTRY}/services/orders:1.0.0", "only an image by its digest is attested"),
        (f"example.com/other@{EXAMPLE_DIGEST}", "nobody attests images outside of the repository services"),
    ],
)
def test_an_image_is_admitted_by_pattern_or_by_attestation(image: str, why: str) -> None:
    message = refused(image, environment([occurrence(SIGNED)]))
    assert message == (f"image {image}: Binary Authorization of staging does not admit it ({why})" if why else "")


@pytest.mark.parametrize(
    "forged",
    [
        occurrence(SIGNED, STRANGER),
        occurrence(UNSIGNED),
        occurrence(SIGNED, type="atomic container signature"),
        {**occurrence(SIGNED), "noteName": "projects/ci/notes/another"},
        {**occurrence(UNSIGNED), "resourceUri": f"https://{REGISTRY}/services/orders@{SIGNED}"},
        {**occurrence(SIGNED), "attestation": {"serializedPayload": "", "signatures": []}},
    ],
    ids=["another key", "another digest", "another statement", "another note", "a false address", "no signature"],
)
def test_a_forged_attestation_admits_nothing(forged: dict[str, Any]) -> None:
    assert "has no attestation" in refused(f"{REGISTRY}/services/orders@{SIGNED}", environment([forged]))


def test_rights_that_are_missing_are_named() -> None:
    image = f"{REGISTRY}/services/orders@{EXAMPLE_DIGEST}"
    assert f"its agent may not read {NOTE}" in refused(image, environment([]), SIGNS)
    assert "nobody may sign with a key that it trusts" in refused(image, environment([]), READS)


def test_what_is_only_logged_refuses_nothing() -> None:
    assert refused("example.com/other:1", environment([], "DRYRUN_AUDIT_LOG_ONLY")) == ""
