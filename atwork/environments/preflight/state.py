"""Checks of the state bucket and of the key of the stack's secrets."""

from __future__ import annotations

from atwork.environments.bootstrap.google import Google
from atwork.environments.bootstrap.plan import BootstrapPlan
from atwork.environments.preflight.check import Check, ask, right, wrong


def state_bucket(google: Google, plan: BootstrapPlan, *, bootstrapped: bool) -> Check:
    """Check that the state bucket keeps versions and is not public."""
    from atwork.environments.bootstrap.state import mistakes

    bucket, fix = plan.platform.bucket, f"atwork environment bootstrap {plan.name}"

    def query() -> Check:
        there = google.storage(plan.admin).lookup_bucket(bucket)
        if there is None:
            return Check(
                "state bucket",
                False if bootstrapped else None,
                f"{bucket} does not exist yet; bootstrap creates it",
                fix,
            )
        faults = ", ".join(mistakes(there)).replace("was", "is")
        return (
            wrong("state bucket", f"{bucket}: {faults}", fix)
            if faults
            else right("state bucket", f"{bucket}, versioned")
        )

    return ask("state bucket", fix, query)


def key(google: Google, plan: BootstrapPlan, *, bootstrapped: bool) -> Check:
    """Check that the key can encrypt the stack's secrets."""
    from google.api_core.exceptions import NotFound

    from atwork.environments.bootstrap.keys import unusable

    short, fix = plan.key.rpartition("/")[2], f"atwork environment bootstrap {plan.name}"

    def query() -> Check:
        try:
            there = google.keys.get_crypto_key(name=plan.key)
        except NotFound:
            return Check(
                "KMS key", False if bootstrapped else None, f"{short} does not exist yet; bootstrap creates it", fix
            )
        why, _, link = unusable(there).partition("; ")
        return wrong("KMS key", f"{short} {why}", link) if why else right("KMS key", f"{short} is usable")

    return ask("KMS key", fix, query)
