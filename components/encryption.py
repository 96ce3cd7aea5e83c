"""The keys of Cloud KMS that an environment's data rests under, and which service agent may use which.

Owns: one key ring for each place, one key for each purpose in it, and each agent's right to its key.
Does not own: what is encrypted (the components take a key's id).

Traps:
- Neither a ring nor a key can ever be deleted, and their names stay taken. Rings are therefore named by the provider,
  so that an environment can be made again in its project, and an ephemeral environment has none.
- Destroying a key destroys all its versions, and with them what rests under them: backups that outlive their
  database too. A destroy therefore leaves the keys standing (some cents a month); `gcloud kms keys versions destroy`
  ends one, with 30 days to think again.
- A key must be in the very place of what it encrypts, the multi-region `europe` included.
- Cloud SQL, repositories, node disks and secrets take their key when they are made: a change replaces them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Literal

import pulumi
import pulumi_gcp as gcp
from pydantic import Field

from components.settings import Settings, duration

SERVICES = ("cloudkms.googleapis.com",)
"""APIs that this component calls."""

Purpose = Literal["cluster", "disks", "databases", "registry", "secrets", "backups"]
"""What a key encrypts."""

AGENTS: Mapping[Purpose, str] = {
    "cluster": "container.googleapis.com",
    "disks": "compute.googleapis.com",
    "databases": "sqladmin.googleapis.com",
    "registry": "artifactregistry.googleapis.com",
    "secrets": "secretmanager.googleapis.com",
    "backups": "gkebackup.googleapis.com",
}
"""The service whose agent uses each key."""


class EncryptionSettings(Settings):
    """Keys of our own (CIS GKE 5.3.1, 5.9.1; CIS GCP 1.10) instead of Google's."""

    covers: tuple[Purpose, ...] = ("cluster", "disks", "databases", "registry", "secrets", "backups")
    """What rests under keys of our own. Decide when an environment is made: most of it cannot change later."""

    rotation_days: Annotated[int, Field(ge=1, le=90)] = 90
    """How often a key gets a new version; CIS wants 90 days at most. Old versions go on reading old data."""

    hardware: bool = False
    """Whether the keys live in hardware security modules, at about thirty times the price of a version."""


class Encryption(pulumi.ComponentResource):
    """Keys by purpose and place; `protect` names the purposes whose data is guarded, and so is their key."""

    keys: dict[str, pulumi.Output[str]]
    """Ids `projects/P/locations/L/keyRings/R/cryptoKeys/K` by `PURPOSE-PLACE`; known once the agent may use the key."""

    def __init__(
        self,
        name: str,
        settings: EncryptionSettings,
        *,
        places: Mapping[Purpose, tuple[str, ...]],
        agents: Mapping[str, pulumi.Input[str]],
        protect: Collection[Purpose],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:encryption:Encryption", name, {}, opts)
        wanted: dict[Purpose, tuple[str, ...]] = {
            purpose: places[purpose] for purpose in settings.covers if purpose in places
        }
        protected_places = {place for purpose, places_of in wanted.items() if purpose in protect for place in places_of}
        rings = {
            place: gcp.kms.KeyRing(
                f"{name}-{place}",
                location=place,
                opts=pulumi.ResourceOptions(parent=self, protect=place in protected_places),
            )
            for place in sorted({place for places_of in wanted.values() for place in places_of})
        }
        self.keys = {}
        for purpose, places_of in wanted.items():
            for place in places_of:
                key = gcp.kms.CryptoKey(
                    f"{name}-{purpose}-{place}",
                    name=purpose,
                    key_ring=rings[place].id,
                    purpose="ENCRYPT_DECRYPT",
                    rotation_period=duration(settings.rotation_days),
                    destroy_scheduled_duration=duration(30),
                    version_template={
                        "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION",
                        "protection_level": "HSM" if settings.hardware else "SOFTWARE",
                    },
                    deletion_policy="ABANDON",
                    opts=pulumi.ResourceOptions(parent=self, protect=purpose in protect),
                )
                grant = gcp.kms.CryptoKeyIAMMember(
                    f"{name}-{purpose}-{place}-agent",
                    crypto_key_id=key.id,
                    role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
                    member=agents[AGENTS[purpose]],
                    opts=pulumi.ResourceOptions(parent=self),
                )
                # The grant's own word for the key: whoever uses it waits for the right to.
                self.keys[f"{purpose}-{place}"] = grant.crypto_key_id
        self.register_outputs({"keys": self.keys})

    def key(self, purpose: Purpose, place: str) -> pulumi.Output[str] | None:
        """The key's id, or nothing where Google's own keys are used."""
        return self.keys.get(f"{purpose}-{place}")
