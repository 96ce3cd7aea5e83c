"""The key with which the promote job signs released images, and the notes that its attestations are attached to.

Owns: a key ring, the asymmetric key, two notes of Container Analysis, the rights of the identity that signs.
Does not own: who trusts the key (components/attestor.py), and the signing (delivery/resources/promote/attest.py).

Traps: an asymmetric key has no rotation, and neither a ring nor a key can be deleted. The public keys are in the stack
file: a preview reads nothing of the key, and an update of this environment cannot change what others trust. Whoever may
attach occurrences to a note cannot forge an attestation without the key.
https://cloud.google.com/binary-authorization/docs/creating-attestors-cli
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated

import pulumi
import pulumi_gcp as gcp
from pydantic import AfterValidator, Field

from components.forms import TextForm
from components.settings import Settings, duration

SERVICES = ("cloudkms.googleapis.com", "containeranalysis.googleapis.com")
"""APIs that this component and the promote job call."""

RELEASES_NOTE = "platform-releases"
"""Note of the attestations that Binary Authorization looks for."""

PROVENANCE_NOTE = "platform-provenance"
"""Note of the statements about which build of which commit made an image."""

KEY = "releases"
ALGORITHM = "EC_SIGN_P256_SHA256"
ATTACH_ROLE = "roles/containeranalysis.notes.attacher"
CREATE_ROLE = "atworkAttestationCreator"
"""Custom role: Google's roles that create occurrences also change and delete those of vulnerabilities."""

_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
"""The start of a public key of the curve P-256 in DER; the two coordinates follow. RFC 5480."""

_BEGIN, _END = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"


def _public_key(text: str) -> str:
    lines = text.strip().splitlines()
    try:
        der = base64.b64decode("".join(lines[1:-1]), validate=True)
    except binascii.Error:
        der = b""
    if not lines or (lines[0], lines[-1]) != (_BEGIN, _END) or not der.startswith(_P256) or len(der) != len(_P256) + 64:
        raise ValueError(
            "is not a public key of the curve P-256 in PEM; write what `gcloud kms keys versions get-public-key` prints"
        )
    return "\n".join(lines) + "\n"


KeyVersion = Annotated[str, TextForm(r"^[1-9][0-9]{0,5}$", "the number of a key version in quotes", "1")]
"""The number of a version of the key."""

PublicKey = Annotated[str, AfterValidator(_public_key)]
"""A public key in PEM, from BEGIN PUBLIC KEY to END PUBLIC KEY."""


class ReleaseSigningSettings(Settings):
    """The promote job signs the digest of each image that it releases."""

    version: KeyVersion = "1"
    """The version of the key that signs. For a new key: create a version, add its public key, update the environments
    that require attestations, then set it here."""

    public_keys: dict[KeyVersion, PublicKey] = Field(default_factory=dict)
    """The public keys that other environments trust, by the version of the key: those of all running releases."""

    hardware: bool = False
    """Whether the key lives in a hardware security module."""


@dataclass(frozen=True)
class SigningRefs:
    """What the promote job and the attestors need: resource names without the service."""

    key: pulumi.Output[str]
    """projects/P/locations/L/keyRings/R/cryptoKeys/K."""
    version: pulumi.Output[str]
    """The version that signs: KEY/cryptoKeyVersions/N."""
    releases: pulumi.Output[str]
    """projects/P/notes/N."""
    provenance: pulumi.Output[str]
    """projects/P/notes/N."""


class ReleaseSigning(pulumi.ComponentResource):
    """The key, the notes, and the rights of the only identity that signs."""

    refs: SigningRefs
    key: pulumi.Output[str]
    """Id of the key."""

    def __init__(
        self,
        name: str,
        settings: ReleaseSigningSettings,
        *,
        project_id: pulumi.Input[str],
        location: str,
        signer: pulumi.Input[str],
        protect: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:release_signing:ReleaseSigning", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        kept = pulumi.ResourceOptions(parent=self, protect=protect)
        ring = gcp.kms.KeyRing(f"{name}-ring", location=location, opts=kept)
        key = gcp.kms.CryptoKey(
            f"{name}-key",
            name=KEY,
            key_ring=ring.id,
            purpose="ASYMMETRIC_SIGN",
            destroy_scheduled_duration=duration(30),
            version_template={
                "algorithm": ALGORITHM,
                "protection_level": "HSM" if settings.hardware else "SOFTWARE",
            },
            deletion_policy="ABANDON",
            opts=kept,
        )
        gcp.kms.CryptoKeyIAMMember(
            f"{name}-signer", crypto_key_id=key.id, role="roles/cloudkms.signer", member=signer, opts=child
        )
        releases = _note(f"{name}-releases", RELEASES_NOTE, "Released by the platform", signer, child)
        provenance = _note(f"{name}-provenance", PROVENANCE_NOTE, "Built from a commit", signer, child)
        create = gcp.projects.IAMCustomRole(
            f"{name}-creator",
            role_id=CREATE_ROLE,
            title="Create attestations",
            description="Create occurrences of Container Analysis; changes and deletes none",
            permissions=["containeranalysis.occurrences.create"],
            opts=child,
        )
        gcp.projects.IAMMember(
            f"{name}-creator-signer", project=project_id, role=create.name, member=signer, opts=child
        )
        self.key = key.id
        self.refs = SigningRefs(
            key.id,
            pulumi.Output.concat(key.id, "/cryptoKeyVersions/", settings.version),
            releases,
            provenance,
        )
        self.register_outputs({"key": self.key})


def _note(
    name: str, note: str, title: str, signer: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """A note to which the signer attaches occurrences; returns projects/P/notes/N."""
    created = gcp.containeranalysis.Note(
        name, name=note, attestation_authority={"hint": {"human_readable_name": title}}, opts=opts
    )
    gcp.containeranalysis.NoteIamMember(
        f"{name}-signer", project=created.project, note=created.name, role=ATTACH_ROLE, member=signer, opts=opts
    )
    return pulumi.Output.format("projects/{0}/notes/{1}", created.project, created.name)
