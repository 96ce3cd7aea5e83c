"""The resources of one stack, found by type, by parent and by namespace."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from atwork.graph.resources import Resource
from components.identity import ANNOTATION

PROVIDERS = "pulumi:providers:"
NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
NAT = "gcp:compute/routerNat:RouterNat"
ADDRESS = "gcp:compute/address:Address"
CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
DATABASE = "gcp:sql/database:Database"
REPOSITORY = "gcp:artifactregistry/repository:Repository"
REPOSITORY_MEMBER = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
SECRET = "gcp:secretmanager/secret:Secret"  # noqa: S105 (a type)
SECRET_MEMBER = "gcp:secretmanager/secretIamMember:SecretIamMember"  # noqa: S105 (a type)
KEY = "gcp:kms/cryptoKey:CryptoKey"
BACKUP = "gcp:gkebackup/backupPlan:BackupPlan"
IMAGES = "gcp:binaryauthorization/policy:Policy"
PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"
CUSTOM_ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
ACCOUNT_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
API = "gcp:projects/service:Service"
PROJECT = "gcp:organizations/project:Project"
NAMESPACE = "kubernetes:core/v1:Namespace"
SERVICE_ACCOUNT = "kubernetes:core/v1:ServiceAccount"
QUOTA = "kubernetes:core/v1:ResourceQuota"
RELEASE = "kubernetes:helm.sh/v3:Release"

CONNECT = "clusterConnect"
"""End of the role that opens the way to a control plane (components/cluster_access.py)."""

_POD = re.compile(r"/subject/ns/([^/]+)/sa/[^/]+$|\[([^/\]]+)/[^\]]+\]$")
_POOL = re.compile(r"/workloadIdentityPools/(.+)\.svc\.id\.goog/|^serviceAccount:(.+)\.svc\.id\.goog\[")
_ACCOUNT = re.compile(r"@(.+)\.iam\.gserviceaccount\.com$")


def namespace_in(member: str) -> str:
    """The namespace of the pods that a member of a policy is; empty where it is somebody else."""
    found = _POD.search(member)
    return (found[1] or found[2]) if found else ""


def project_in(member: str) -> str:
    """The project whose pods or whose account it is; empty where it names none."""
    found = _POOL.search(member) or _ACCOUNT.search(member)
    return next((one for one in found.groups() if one), "") if found else ""


class Inventory:
    """What one stack consists of, in an order that does not depend on when things were made."""

    def __init__(self, stack: str, resources: Sequence[Resource]) -> None:
        self.stack = stack
        self.resources = sorted(resources, key=lambda one: one.urn)
        self.by_urn = {one.urn: one for one in self.resources}

    def of(self, *types: str) -> list[Resource]:
        """All of these types, by name."""
        return sorted((one for one in self.resources if one.type in types), key=lambda one: (one.name, one.urn))

    @cached_property
    def project(self) -> str:
        """The Google Cloud project; the stack's name where nothing says it."""
        found = [one.text("projectId") for one in self.of(PROJECT)]
        found += [one.text("project") for one in self.resources if one.type == f"{PROVIDERS}gcp"]
        return next((one for one in found if one), "")

    @cached_property
    def region(self) -> str:
        """Where it is; empty where nothing says it."""
        found = [one.text("region") for one in self.resources if one.type == f"{PROVIDERS}gcp"]
        found += [one.text("location") for one in self.of(CLUSTER)]
        return next((one for one in found if one), "")

    def ancestors(self, resource: Resource) -> list[Resource]:
        """The components around it, the nearest first."""
        found: list[Resource] = []
        seen = {resource.urn}
        parent = self.by_urn.get(resource.parent)
        while parent is not None and parent.urn not in seen:
            seen.add(parent.urn)
            found.append(parent)
            parent = self.by_urn.get(parent.parent)
        return found

    def is_in(self, resource: Resource, component: str) -> bool:
        """Whether a component is around it, by its URN."""
        return bool(component) and any(one.urn == component for one in self.ancestors(resource))


def namespace_of(resource: Resource) -> str:
    """The name of a namespace, or of the one that an object is in."""
    if resource.type == NAMESPACE:
        return resource.text("metadata.name") or _short(resource.name, "tenant-", "-namespace")
    return resource.text("metadata.namespace") or (resource.text("namespace") if resource.type == RELEASE else "")


def acts_as(account: Resource) -> str:
    """The Google account that the pods of a Kubernetes service account act as; empty where they are themselves."""
    annotations = account.at("metadata.annotations")
    return str(annotations.get(ANNOTATION, "")) if isinstance(annotations, dict) else ""


def short(resource: Resource) -> str:
    """The key of its settings, where it is named `<component>-<role>-<key>` as this program does."""
    match resource.type:
        case "gcp:container/nodePool:NodePool":
            return _short(resource.name, "pools-", "")
        case "gcp:sql/databaseInstance:DatabaseInstance":
            return _short(resource.name, "database-", "-instance")
        case "gcp:artifactregistry/repository:Repository":
            return resource.text("repositoryId") or _short(resource.name, "registry-", "")
        case _:
            return resource.name


def _short(name: str, before: str, after: str) -> str:
    return name.removeprefix(before).removesuffix(after) or name
