"""Names of Google Cloud resources, and the hierarchy that they are in.

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
    "notes": "containeranalysis.googleapis.com/Note",
    "attestors": "binaryauthorization.googleapis.com/Attestor",
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
    """`resource.type` in conditions; None when the collection is not in `TYPES`."""
    parts = resource.split("/")
    if parts[0] == "buckets" and len(parts) > 2:
        return TYPES["objects"]
    return TYPES.get(parts[-2]) if len(parts) > 1 else None


def ancestors(resource: str, parents: Mapping[str, str]) -> Iterator[str]:
    """The resource and its ancestors, from the nearest to the organization.

    `parents` has the parent of each project, folder and bucket.
    """
    current: str | None = resource
    seen: set[str] = set()
    while current is not None and current not in seen:
        seen.add(current)
        yield current
        current = parents.get(current) or _container(current)


def _container(resource: str) -> str | None:
    parts = resource.split("/")
    if parts[0] == "buckets" and len(parts) > 2:
        return f"buckets/{parts[1]}"
    return "/".join(parts[:-2]) if parts[0] == "projects" and len(parts) > 3 else None
