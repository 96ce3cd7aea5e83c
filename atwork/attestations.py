"""Statements about released images: who signed them, and what they say.

The promote job writes them (delivery/resources/promote/attest.py). An occurrence is one of Container Analysis, as JSON.
https://cloud.google.com/container-analysis/docs/reference/rest/v1/projects.occurrences
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

KEY_PREFIX = "//cloudkms.googleapis.com/v1/"
_ADMISSION = "Google cloud binauthz container signature"
_PROVENANCE = "https://slsa.dev/provenance/v1"


@dataclass(frozen=True)
class SignedStatement:
    """What somebody with a trusted key says about an image."""

    image: str
    """HOST/PATH@DIGEST."""
    content: Mapping[str, Any]
    key: str
    """The version of the key that signed: projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N."""
    created: str
    """When Google stored it, in RFC 3339."""

    @property
    def digest(self) -> str:
        """The digest that the signed content names, and not the occurrence."""
        critical = self.content.get("critical") or {}
        subjects = self.content.get("subject") or [{}]
        return str(
            (critical.get("image") or {}).get("docker-manifest-digest")
            or f"sha256:{(subjects[0].get('digest') or {}).get('sha256')}"
        )

    @property
    def admits(self) -> bool:
        """Whether Binary Authorization accepts it."""
        return (self.content.get("critical") or {}).get("type") == _ADMISSION

    @property
    def provenance(self) -> Mapping[str, Any]:
        """The SLSA provenance; empty if it states something else."""
        return self.content.get("predicate") or {} if self.content.get("predicateType") == _PROVENANCE else {}


def trusted(
    occurrences: Iterable[Mapping[str, Any]], digest: str, public_keys: Mapping[str, str]
) -> Iterator[SignedStatement]:
    """The statements about a digest that are signed by one of the keys, which have the id of the signature's key."""
    for occurrence in occurrences:
        attestation = occurrence.get("attestation") or {}
        payload = _decoded(attestation.get("serializedPayload"))
        for signature in attestation.get("signatures") or ():
            pem = public_keys.get(str(signature.get("publicKeyId")))
            if pem is None or not verified(payload, _decoded(signature.get("signature")), pem):
                continue
            statement = _statement(occurrence, payload, signature)
            if statement is not None and statement.digest == digest:
                yield statement


def _decoded(text: object) -> bytes:
    """Base64 of either alphabet; empty for other text."""
    try:
        return base64.b64decode(str(text or "").replace("-", "+").replace("_", "/"))
    except binascii.Error:
        return b""


def _statement(occurrence: Mapping[str, Any], payload: bytes, signature: Mapping[str, Any]) -> SignedStatement | None:
    try:
        content = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    image = str(occurrence.get("resourceUri", "")).removeprefix("https://")
    key = str(signature["publicKeyId"]).removeprefix(KEY_PREFIX)
    return SignedStatement(image, content, key, str(occurrence.get("createTime", "")))


def verified(payload: bytes, signature: bytes, pem: str) -> bool:
    """Whether a key of the curve P-256 signed the SHA-256 of a payload."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, payload, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
