"""Step for the state bucket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from atwork.environments.bootstrap.google_errors import GoogleError, explain_errors
from atwork.environments.bootstrap.plan import BootstrapPlan
from atwork.environments.bootstrap.projects import find_project
from atwork.environments.bootstrap.step import UNCHANGED, Context, Step

if TYPE_CHECKING:
    from google.cloud.storage import Bucket

KEPT_DAYS = 7
"""How long Google keeps deleted objects."""

VERSIONS = 30
DAYS = 90
"""A version is deleted when it has this age and this many newer versions."""


def bucket(plan: BootstrapPlan) -> Step:
    """Create the bucket: versions, access only by IAM, not public, soft delete. A retention policy would prevent the
    engine from overwriting its state and releasing its lock."""
    name, location = plan.platform.bucket, plan.platform.location

    def ensure(context: Context) -> str:
        from google.api_core.exceptions import Conflict
        from google.cloud.storage import Bucket

        with explain_errors(f"create the state bucket {name}", f"ask for roles/storage.admin on {plan.admin}"):
            client = context.google.storage(plan.admin)
            there = client.lookup_bucket(name)
            if there is None:
                new = Bucket(client, name)
                _configure(new)
                try:
                    client.create_bucket(new, location=location)
                except Conflict:
                    raise GoogleError(
                        f"the bucket name {name} is taken; names are globally unique: set state_bucket"
                    ) from None
                return "created"
            project = find_project(context.google, plan.admin)
            if project is not None and str(there.project_number) != project[0]:
                raise GoogleError(
                    f"the bucket {name} is in project {there.project_number}, not in {plan.admin}; its owner "
                    "would own the state; set state_bucket to another name"
                )
            _refuse(there, name, location)
            wrong = mistakes(there)
            if wrong:
                _configure(there)
                there.patch()
                return f"corrected: {', '.join(wrong)}"
            return UNCHANGED

    closed = f"--uniform-bucket-level-access --public-access-prevention --soft-delete-duration={KEPT_DAYS}d"
    condition = {"numNewerVersions": VERSIONS, "daysSinceNoncurrentTime": DAYS}
    rules = json.dumps({"rule": [{"action": {"type": "Delete"}, "condition": condition}]})
    commands = (
        f"gcloud storage buckets create gs://{name} --project={plan.admin} --location={location} {closed}",
        f"echo '{rules}' > lifecycle.json",
        f"gcloud storage buckets update gs://{name} --versioning --lifecycle-file=lifecycle.json",
    )
    return Step("state-bucket", f"state bucket {name}", commands, ensure)


def mistakes(there: Bucket) -> list[str]:
    """Wrong settings of the bucket that `_configure` corrects."""
    iam = there.iam_configuration
    checks = {
        "versioning was off": bool(there.versioning_enabled),
        "access was not limited to IAM": bool(iam.uniform_bucket_level_access_enabled),
        "public access was possible": iam.public_access_prevention == "enforced",
        "soft delete was off": bool(there.soft_delete_policy.retention_duration_seconds),
    }
    return [words for words, right in checks.items() if not right]


def _refuse(there: Bucket, name: str, location: str) -> None:
    if str(there.location).lower() != location.lower():
        raise GoogleError(
            f"the bucket {name} is in {str(there.location).lower()}, not in {location}, and cannot move; set "
            "location to where it is, or state_bucket to another name"
        )
    if there.retention_period:
        raise GoogleError(
            f"the bucket {name} has a retention policy, which prevents the engine from overwriting its state; run "
            f"`gcloud storage buckets update gs://{name} --clear-retention-period`"
        )


def _configure(bucket: Any) -> None:
    bucket.versioning_enabled = True
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.iam_configuration.public_access_prevention = "enforced"
    if not bucket.soft_delete_policy.retention_duration_seconds:
        bucket.soft_delete_policy.retention_duration_seconds = KEPT_DAYS * 24 * 60 * 60
    if not list(bucket.lifecycle_rules):
        bucket.add_lifecycle_delete_rule(number_of_newer_versions=VERSIONS, days_since_noncurrent_time=DAYS)
