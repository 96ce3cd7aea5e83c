"""The resources of one stack, by type, by parent and by namespace."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from atwork.graph.resources import StackResource
from components import type_tokens
from components.identity import ANNOTATION

PROVIDERS = "pulumi:providers:"
NETWORK = type_tokens.NETWORK
SUBNETWORK = type_tokens.SUBNETWORK
NAT = type_tokens.ROUTER_NAT
ADDRESS = "gcp:compute/address:Address"
CLUSTER = type_tokens.CLUSTER
POOL = type_tokens.NODE_POOL
INSTANCE = type_tokens.DATABASE_INSTANCE
DATABASE = type_tokens.DATABASE
REDIS = type_tokens.REDIS_INSTANCE
REPOSITORY = type_tokens.REPOSITORY
REPOSITORY_MEMBER = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
SECRET = type_tokens.SECRET
SECRET_MEMBER = "gcp:secretmanager/secretIamMember:SecretIamMember"  # noqa: S105 (a type)
KEY = type_tokens.CRYPTO_KEY
BACKUP = "gcp:gkebackup/backupPlan:BackupPlan"
IMAGES = type_tokens.BINARY_AUTHORIZATION_POLICY
PROJECT_MEMBER = type_tokens.PROJECT_MEMBER
CUSTOM_ROLE = type_tokens.PROJECT_CUSTOM_ROLE
ACCOUNT_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
API = type_tokens.PROJECT_SERVICE
PROJECT = type_tokens.PROJECT
ALERT = type_tokens.ALERT_POLICY
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
BUDGET = "gcp:billing/budget:Budget"
GLOBAL_ADDRESS = "gcp:compute/globalAddress:GlobalAddress"
FIREWALL = "gcp:compute/securityPolicy:SecurityPolicy"
TLS = ("gcp:compute/sSLPolicy:SSLPolicy", "gcp:compute/regionSslPolicy:RegionSslPolicy")
CERTIFICATE = "gcp:certificatemanager/certificate:Certificate"
ZONE = "gcp:dns/managedZone:ManagedZone"
RECORD = "gcp:dns/recordSet:RecordSet"
CERTIFICATE_PARTS = (
    CERTIFICATE,
    "gcp:certificatemanager/certificateMap:CertificateMap",
    "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry",
    "gcp:certificatemanager/dnsAuthorization:DnsAuthorization",
)
NAMESPACE = type_tokens.KUBERNETES_NAMESPACE
SERVICE_ACCOUNT = "kubernetes:core/v1:ServiceAccount"
QUOTA = "kubernetes:core/v1:ResourceQuota"
RELEASE = type_tokens.RELEASE

CONNECT = "clusterConnect"
"""Suffix of the role that may connect to a control plane (components/cluster_access.py)."""

_POD_MEMBER = re.compile(r"/subject/ns/([^/]+)/sa/[^/]+$|\[([^/\]]+)/[^\]]+\]$")
_IDENTITY_POOL = re.compile(r"/workloadIdentityPools/(.+)\.svc\.id\.goog/|^serviceAccount:(.+)\.svc\.id\.goog\[")
_ACCOUNT_MEMBER = re.compile(r"@(.+)\.iam\.gserviceaccount\.com$")


def namespace_in(member: str) -> str:
    """The namespace of a member of a policy that is a pod; empty for other members."""
    match = _POD_MEMBER.search(member)
    return (match[1] or match[2]) if match else ""


def project_in(member: str) -> str:
    """The project of a member that is a pod or a service account; empty for other members."""
    match = _IDENTITY_POOL.search(member) or _ACCOUNT_MEMBER.search(member)
    return next((project for project in match.groups() if project), "") if match else ""


class Inventory:
    """The resources of one stack, in an order that does not depend on when they were created."""

    def __init__(self, stack: str, resources: Sequence[StackResource]) -> None:
        self.stack = stack
        self.resources = sorted(resources, key=lambda resource: resource.urn)
        self.by_urn = {resource.urn: resource for resource in self.resources}

    def of(self, *types: str) -> list[StackResource]:
        """All resources of some types, by name."""
        resources = (resource for resource in self.resources if resource.type in types)
        return sorted(resources, key=lambda resource: (resource.name, resource.urn))

    @cached_property
    def project(self) -> str:
        """The Google Cloud project; empty if no resource names it."""
        projects = [project.text("projectId") for project in self.of(PROJECT)]
        projects += [provider.text("project") for provider in self._providers()]
        return next((project for project in projects if project), "")

    @cached_property
    def region(self) -> str:
        """The region; empty if no resource names it."""
        regions = [provider.text("region") for provider in self._providers()]
        regions += [cluster.text("location") for cluster in self.of(CLUSTER)]
        return next((region for region in regions if region), "")

    def _providers(self) -> list[StackResource]:
        return [resource for resource in self.resources if resource.type == f"{PROVIDERS}gcp"]

    def ancestors(self, resource: StackResource) -> list[StackResource]:
        """The components that contain a resource, from the nearest to the outermost."""
        components: list[StackResource] = []
        seen = {resource.urn}
        parent = self.by_urn.get(resource.parent)
        while parent is not None and parent.urn not in seen:
            seen.add(parent.urn)
            components.append(parent)
            parent = self.by_urn.get(parent.parent)
        return components

    def is_in(self, resource: StackResource, component: str) -> bool:
        """Whether a component, given by its URN, contains a resource."""
        return bool(component) and any(ancestor.urn == component for ancestor in self.ancestors(resource))


def namespace_of(resource: StackResource) -> str:
    """The name of a namespace, or of the namespace that an object is in."""
    if resource.type == NAMESPACE:
        return resource.text("metadata.name") or _without(resource.name, "tenant-", "-namespace")
    return resource.text("metadata.namespace") or (resource.text("namespace") if resource.type == RELEASE else "")


def acts_as(account: StackResource) -> str:
    """The Google account that the pods of a Kubernetes service account act as; empty if there is none."""
    annotations = account.value("metadata.annotations")
    return str(annotations.get(ANNOTATION, "")) if isinstance(annotations, dict) else ""


def settings_key(resource: StackResource) -> str:
    """The key of a resource in the settings, if it is named `<component>-<role>-<key>` as in this program."""
    match resource.type:
        case type_tokens.NODE_POOL:
            return _without(resource.name, "pools-", "")
        case type_tokens.DATABASE_INSTANCE:
            return _without(_without(resource.name, "database-", "-instance"), "", "-replica")
        case type_tokens.REDIS_INSTANCE:
            return _without(resource.name, "redis-", "-instance")
        case type_tokens.REPOSITORY:
            return resource.text("repositoryId") or _without(resource.name, "registry-", "")
        case _:
            return resource.name


def _without(name: str, prefix: str, suffix: str) -> str:
    return name.removeprefix(prefix).removesuffix(suffix) or name
