"""Environments whose releases are signed, and whose Binary Authorization asks for attestations."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support.mocks import Recording
from support.program import run_stack

from infra.config import STACKS, parse, read_file
from infra.stack import StackConfig

LONG_LIVED = ("ci", "staging", "production")


def public_key(private: ec.EllipticCurvePrivateKey) -> str:
    """The public key in PEM."""
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return private.public_key().public_bytes(encoding, form).decode()


PEM = public_key(ec.generate_private_key(ec.SECP256R1()))


def changed(stack: str, attestation: str) -> dict[str, Any]:
    """The parts of a stack file that differ from those of the repository."""
    if stack == "ci":
        return {"release_signing": {"public_keys": {"1": PEM}}}
    return {"binary_authorization": {"attestation": attestation}}


def environments(attestation: str = "enforce") -> dict[str, StackConfig]:
    """The settings of the long-lived environments."""
    texts = {name: json.loads(read_file(STACKS / f"Pulumi.{name}.yaml") or "{}") for name in LONG_LIVED}
    return {name: parse(name, json.dumps(text | changed(name, attestation))) for name, text in texts.items()}


def recordings(attestation: str = "enforce") -> dict[str, Recording]:
    """What the program declares for each environment."""
    configs = environments(attestation)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infra.environment.read_all", lambda *_, **__: configs)
        return {name: run_stack(name, changed(name, attestation)) for name in configs}
