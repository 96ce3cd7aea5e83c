"""Names of Google Cloud resources and what each is inside of.

A name is the path of the resource without its service: `projects/P`, `projects/P/secrets/S`, `buckets/B/objects/O`,
`folders/N`, `organizations/N`, `billingAccounts/A`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

TYPES = {
    "projects": "cloudresourcemanager.googleapis.com/Project",
    "folders": "cloudresourcemanager.googleapis.com/Folder",
    "organizations": "cloudresourcemanager.googleapis.com/Organization",
    "buckets": "storage.googleapis.com/Bucket",
    "objects": "storage.googleapis.com/Object",
    "secrets": "secretmanager.googleapis.com/Secret",
    "versions": "secretmanager.googleapis.com/SecretVersion",
    "serviceAccounts": "iam.googleapis.com/ServiceAccount",
    "keyRings": "cloudkms.googleapis.com/KeyRing",
    "cryptoKeys": "cloudkms.googleapis.com/CryptoKey",
    "repositories": "artifactregistry.googleapis.com/Repository",
    "topics": "pubsub.googleapis.com/Topic",
    "clusters": "container.googleapis.com/Cluster",
    "instances": "sqladmin.googleapis.com/Instance",
    "backupPlans": "gkebackup.googleapis.com/BackupPlan",
}
"""`resource.type` in conditions, by collection. https://cloud.google.com/iam/docs/conditions-resource-attributes"""


def condition_name(resource: str) -> str:
    """`resource.name` in conditions: buckets and objects are below `projects/_`."""
    return f"projects/_/{resource}" if resource.startswith("buckets/") else resource


def condition_type(resource: str) -> str | None:
    """`resource.type` in conditions; nothing where the collection is not in `TYPES`."""
    parts = resource.split("/")
    if parts[0] == "buckets" and len(parts) > 2:
        return TYPES["objects"]
    return TYPES.get(parts[-2]) if len(parts) > 1 else None


def inside_of(resource: str, parents: Mapping[str, str]) -> Iterator[str]:
    """The resource and then everything that it is inside of, from the nearest to the organization.

    `parents` says what a project, folder or bucket is below.
    """
    here: str | None = resource
    seen: set[str] = set()
    while here is not None and here not in seen:
        seen.add(here)
        yield here
        here = parents.get(here) or _container(here)


def _container(resource: str) -> str | None:
    parts = resource.split("/")
    if parts[0] == "buckets" and len(parts) > 2:
        return f"buckets/{parts[1]}"
    return "/".join(parts[:-2]) if parts[0] == "projects" and len(parts) > 3 else None
