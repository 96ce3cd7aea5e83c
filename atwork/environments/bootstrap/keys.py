"""The key that encrypts a stack's secrets. Rings and keys can never be deleted, only their versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

from atwork.environments.bootstrap.google_errors import GoogleError, explain_errors
from atwork.environments.bootstrap.plan import BootstrapPlan
from atwork.environments.bootstrap.step import UNCHANGED, Context, Step

ROTATION = timedelta(days=90)
"""CIS GCP 1.10 asks for 90 days at most."""


def ring(plan: BootstrapPlan) -> Step:
    """The ring of all stacks' keys."""
    name = plan.key.partition("/cryptoKeys/")[0]
    parent, _, short = name.rpartition("/keyRings/")
    location = plan.platform.location

    def ensure(context: Context) -> str:
        from google.api_core.exceptions import Conflict, NotFound
        from google.cloud.kms_v1 import KeyRing

        client = context.google.keys
        with explain_errors(f"create the key ring {short}", f"ask for roles/cloudkms.admin on {plan.admin}"):
            try:
                client.get_key_ring(name=name)
            except NotFound:
                try:
                    client.create_key_ring(parent=parent, key_ring_id=short, key_ring=KeyRing())
                except Conflict:  # another bootstrap created it
                    return UNCHANGED
                return "created"
            return UNCHANGED

    command = f"gcloud kms keyrings create {short} --location={location} --project={plan.admin}"
    return Step("key-ring", f"key ring {short}", (command,), ensure)


def key(plan: BootstrapPlan) -> Step:
    """The key of this stack, or the key of all ephemeral environments."""
    parent, _, short = plan.key.partition("/cryptoKeys/")
    ring_name = parent.rpartition("/")[2]

    def ensure(context: Context) -> str:
        from google.api_core.exceptions import Conflict, NotFound
        from google.cloud.kms_v1 import CryptoKey
        from google.protobuf.duration_pb2 import Duration
        from google.protobuf.field_mask_pb2 import FieldMask
        from google.protobuf.timestamp_pb2 import Timestamp

        client = context.google.keys
        with explain_errors(f"create the key {short}", f"ask for roles/cloudkms.admin on {plan.admin}"):
            wanted = CryptoKey(
                name=plan.key,
                rotation_period=Duration(seconds=int(ROTATION.total_seconds())),
                next_rotation_time=Timestamp(seconds=int((datetime.now(UTC) + ROTATION).timestamp())),
            )
            try:
                there = client.get_crypto_key(name=plan.key)
            except NotFound:
                wanted.purpose = CryptoKey.CryptoKeyPurpose.ENCRYPT_DECRYPT
                try:
                    client.create_crypto_key(parent=parent, crypto_key_id=short, crypto_key=wanted)
                except Conflict:
                    return UNCHANGED
                return "created"
            wrong = unusable(there)
            if wrong:
                raise GoogleError(f"the key {short} {wrong}")
            rotation = cast("timedelta | None", there.rotation_period)  # the client converts it
            if not rotation or rotation > ROTATION:
                mask = FieldMask(paths=["rotation_period", "next_rotation_time"])
                client.update_crypto_key(crypto_key=wanted, update_mask=mask)
                return f"corrected: rotates every {ROTATION.days} days now"
            return UNCHANGED

    when = f"$(date -u -d '+{ROTATION.days} days' +%Y-%m-%dT%H:%M:%SZ)"
    command = (
        f"gcloud kms keys create {short} --keyring={ring_name} --location={plan.platform.location} "
        f"--project={plan.admin} --purpose=encryption --rotation-period={ROTATION.days}d --next-rotation-time={when}"
    )
    return Step("key", f"key {short} of the stack's secrets", (command,), ensure)


def unusable(there: object) -> str:
    """Why a key cannot encrypt, with the fix; "" if it can."""
    from google.cloud.kms_v1 import CryptoKey, CryptoKeyVersion

    assert isinstance(there, CryptoKey)  # noqa: S101 (the client's own class)
    if there.purpose != CryptoKey.CryptoKeyPurpose.ENCRYPT_DECRYPT:
        return "is not for encryption, and cannot be changed or deleted; set another location or admin_project"
    version = there.primary
    if not version.name or version.state != CryptoKeyVersion.CryptoKeyVersionState.ENABLED:
        state = CryptoKeyVersion.CryptoKeyVersionState(version.state).name.lower().replace("_", " ")
        return f"has a primary version that is {state}; enable it: `gcloud kms keys versions enable` ({there.name})"
    return ""
