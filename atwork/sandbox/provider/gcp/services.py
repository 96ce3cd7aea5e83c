"""The API behind each module of the SDK."""

from __future__ import annotations

SERVICES = {
    "artifactregistry": "artifactregistry.googleapis.com",
    "binaryauthorization": "binaryauthorization.googleapis.com",
    "billing": "billingbudgets.googleapis.com",
    "certificatemanager": "certificatemanager.googleapis.com",
    "compute": "compute.googleapis.com",
    "containeranalysis": "containeranalysis.googleapis.com",
    "container": "container.googleapis.com",
    "dns": "dns.googleapis.com",
    "gkebackup": "gkebackup.googleapis.com",
    "kms": "cloudkms.googleapis.com",
    "logging": "logging.googleapis.com",
    "memorystore": "memorystore.googleapis.com",
    "monitoring": "monitoring.googleapis.com",
    "networkconnectivity": "networkconnectivity.googleapis.com",
    "pubsub": "pubsub.googleapis.com",
    "secretmanager": "secretmanager.googleapis.com",
    "serviceaccount": "iam.googleapis.com",
    "sql": "sqladmin.googleapis.com",
}
"""APIs by module."""


def module_of(token: str) -> str:
    """The module of a type of the SDK: `sql` for `gcp:sql/user:User`."""
    return token.partition("/")[0].removeprefix("gcp:")


def service_of(token: str) -> str | None:
    """The API that serves a type; None if the program does not use its module."""
    return SERVICES.get(module_of(token))
