"""Where the state is kept, and the key of its secrets."""

from __future__ import annotations

from atwork.environments.bootstrap.google import Google
from atwork.environments.bootstrap.plan import Plan
from atwork.environments.preflight.check import Check, asked, right, wrong


def state_bucket(google: Google, plan: Plan, *, made: bool) -> Check:
    """Whether the state is where nothing is lost and nobody from outside reads."""
    from atwork.environments.bootstrap.state import mistakes

    bucket, fix = plan.platform.bucket, f"atwork environment bootstrap {plan.name}"

    def look() -> Check:
        there = google.storage(plan.admin).lookup_bucket(bucket)
        if there is None:
            return Check("state bucket", False if made else None, f"{bucket} is not there yet; bootstrap makes it", fix)
        found = ", ".join(mistakes(there)).replace("was", "is")
        return (
            wrong("state bucket", f"{bucket}: {found}", fix) if found else right("state bucket", f"{bucket}, versioned")
        )

    return asked("state bucket", fix, look)


def key(google: Google, plan: Plan, *, made: bool) -> Check:
    """Whether the stack's secrets can be encrypted."""
    from google.api_core.exceptions import NotFound

    from atwork.environments.bootstrap.keys import unusable

    short, fix = plan.key.rpartition("/")[2], f"atwork environment bootstrap {plan.name}"

    def look() -> Check:
        try:
            there = google.keys.get_crypto_key(name=plan.key)
        except NotFound:
            return Check("KMS key", False if made else None, f"{short} is not there yet; bootstrap makes it", fix)
        why, _, mend = unusable(there).partition("; ")
        return wrong("KMS key", f"{short} {why}", mend) if why else right("KMS key", f"{short} is usable")

    return asked("KMS key", fix, look)
