"""Cloud KMS and Container Analysis, as far as the signing of releases uses them: keys that sign, and occurrences.

Private keys are made when they are first used, and encrypted at rest as all secrets of the simulated cloud are.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.provider.values import reveal
from atwork.sandbox.provider.values import secret as as_secret
from components.type_tokens import CRYPTO_KEY, CRYPTO_KEY_VERSION, NOTE, OCCURRENCE

_SIGNS = "ASYMMETRIC_SIGN"


def public_key(cloud: Cloud, version: str) -> str:
    """The public key (PEM) of a version of a key; `KeyError` if the key does not exist or cannot sign."""
    return (
        _private_key(cloud, version)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def sign(cloud: Cloud, version: str, digest: bytes) -> bytes:
    """The signature (DER) of a SHA-256 digest; `KeyError` as `public_key`, `ValueError` for another digest."""
    return _private_key(cloud, version).sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))


def _private_key(cloud: Cloud, version: str) -> ec.EllipticCurvePrivateKey:
    key, _, number = version.partition("/cryptoKeyVersions/")
    with cloud.transaction():
        stored = cloud.get("", CRYPTO_KEY_VERSION, version)
        if stored is None:
            parent = cloud.get("", CRYPTO_KEY, key)
            if parent is None or reveal(parent.inputs).get("purpose") != _SIGNS or not number.isdecimal():
                raise KeyError(version)
            pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            inputs = {"cryptoKey": key, "privateKey": as_secret(pem.decode())}
            stored = CloudObject("", CRYPTO_KEY_VERSION, version, "", inputs, inputs)
            cloud.create(stored, {key})
    private = serialization.load_pem_private_key(reveal(stored.inputs)["privateKey"].encode(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)  # noqa: S101 (only such keys are made)
    return private


def attach(cloud: Cloud, project: str, occurrence: Mapping[str, Any]) -> dict[str, Any]:
    """Store an occurrence in projects/P, and return it as Container Analysis does; `KeyError` without its note."""
    note = str(occurrence.get("noteName"))
    if cloud.get("", NOTE, note) is None:
        raise KeyError(note)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    name = f"{project}/occurrences/{uuid4()}"
    stored = {**occurrence, "name": name, "kind": "ATTESTATION", "createTime": now, "updateTime": now}
    with cloud.transaction():
        cloud.create(CloudObject("", OCCURRENCE, name, "", stored, stored), set())
    return stored


def occurrences(cloud: Cloud, note: str) -> list[dict[str, Any]]:
    """The occurrences of a note, in the order of their creation."""
    stored = [reveal(item.inputs) for item in cloud.objects("", OCCURRENCE)]
    return sorted((item for item in stored if item["noteName"] == note), key=lambda item: item["createTime"])
