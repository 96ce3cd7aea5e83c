"""The regions of Google Cloud, as of 2026-11. https://cloud.google.com/compute/docs/regions-zones

A region that is not there is met late otherwise: by the first resource that is made in it.
"""

from __future__ import annotations

import difflib

from atwork.errors import UsageError

REGIONS = (
    "africa-south1",
    "asia-east1",
    "asia-east2",
    "asia-northeast1",
    "asia-northeast2",
    "asia-northeast3",
    "asia-south1",
    "asia-south2",
    "asia-southeast1",
    "asia-southeast2",
    "australia-southeast1",
    "australia-southeast2",
    "europe-central2",
    "europe-north1",
    "europe-north2",
    "europe-southwest1",
    "europe-west1",
    "europe-west2",
    "europe-west3",
    "europe-west4",
    "europe-west6",
    "europe-west8",
    "europe-west9",
    "europe-west10",
    "europe-west12",
    "me-central1",
    "me-central2",
    "me-west1",
    "northamerica-northeast1",
    "northamerica-northeast2",
    "northamerica-south1",
    "southamerica-east1",
    "southamerica-west1",
    "us-central1",
    "us-east1",
    "us-east4",
    "us-east5",
    "us-south1",
    "us-west1",
    "us-west2",
    "us-west3",
    "us-west4",
)


def check(region: str) -> None:
    """Raise `UsageError` for a region that Google does not have; one that is newer than this list is added here."""
    if region in REGIONS:
        return
    near = difflib.get_close_matches(region.rpartition("-")[0] if region.count("-") > 1 else region, REGIONS, n=3)
    advice = f"did you mean {' or '.join(near)}?" if near else "such as europe-west1"
    raise UsageError(
        f"--region {region}: Google has none such; {advice} (a newer one goes into atwork/environments/regions.py)"
    )
