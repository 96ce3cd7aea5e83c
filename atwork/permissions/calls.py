"""The API methods of Google that Pulumi calls for each resource type of the program, and permissions inside clusters.

The methods are the providers' REST calls (`terraform-provider-google`, services/*/resource_*.go), with the operations
that they wait for. When Google's data set has no method, the table has the permission instead
(https://cloud.google.com/sql/docs/postgres/iam-permissions,
https://docs.cloud.google.com/memorystore/docs/valkey/access-control, https://cloud.google.com/iam/docs/permissions-reference).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from atwork.permissions import roles


@dataclass(frozen=True)
class Calls:
    """Methods that read and that write; `permission:NAME` stands for a permission instead of a method."""

    read: tuple[str, ...]
    write: tuple[str, ...]


def _crud(collection: str, *, update: str = "patch", create: str = "create", more: tuple[str, ...] = ()) -> Calls:
    verbs = (create, update, "delete")
    return Calls((f"{collection}.get",), (*(f"{collection}.{verb}" for verb in verbs), *more))


def _member(collection: str) -> Calls:
    return Calls((f"{collection}.getIamPolicy",), (f"{collection}.setIamPolicy",))


def _permissions(*permissions: str) -> tuple[str, ...]:
    return tuple(f"permission:{permission}" for permission in permissions)


def _sql(kind: str, *read: str) -> Calls:
    write = _permissions(*(f"cloudsql.{kind}.{verb}" for verb in ("create", "update", "delete")))
    return Calls(_permissions(*(f"cloudsql.{kind}.{verb}" for verb in read), "cloudsql.instances.get"), write)


_COMPUTE_WAIT = ("compute.globalOperations.get", "compute.regionOperations.get")
_PROJECT = _member("cloudresourcemanager.projects")
_KEYS = "cloudkms.projects.locations.keyRings"
_CLUSTERS = "container.projects.locations.clusters"
_POOLS = f"{_CLUSTERS}.nodePools"
_REPOSITORIES = "artifactregistry.projects.locations.repositories"
_CERTIFICATES = "certificatemanager.projects.locations"
_CERTIFICATE_WAIT = (f"{_CERTIFICATES}.operations.get",)
_CLUSTER_WAIT = ("container.projects.locations.operations.get",)

TYPES: dict[str, Calls] = {
    "gcp:artifactregistry/repository:Repository": _crud(_REPOSITORIES),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": _member(_REPOSITORIES),
    "gcp:binaryauthorization/attestor:Attestor": _crud("binaryauthorization.projects.attestors", update="update"),
    "gcp:binaryauthorization/policy:Policy": Calls(
        ("binaryauthorization.projects.getPolicy",), ("binaryauthorization.projects.updatePolicy",)
    ),
    # A budget of one project needs no right on the billing account:
    # https://cloud.google.com/billing/docs/how-to/budget-api-access-control
    "gcp:billing/budget:Budget": Calls(
        _permissions("billing.resourcebudgets.read", "resourcemanager.projects.get"),
        _permissions("billing.resourcebudgets.write"),
    ),
    "gcp:certificatemanager/certificate:Certificate": _crud(f"{_CERTIFICATES}.certificates", more=_CERTIFICATE_WAIT),
    "gcp:certificatemanager/certificateMap:CertificateMap": _crud(
        f"{_CERTIFICATES}.certificateMaps", more=_CERTIFICATE_WAIT
    ),
    # An entry uses the certificate, and a certificate the authorization.
    "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry": _crud(
        f"{_CERTIFICATES}.certificateMaps.certificateMapEntries",
        more=(*_CERTIFICATE_WAIT, *_permissions("certificatemanager.certs.use")),
    ),
    "gcp:certificatemanager/dnsAuthorization:DnsAuthorization": _crud(
        f"{_CERTIFICATES}.dnsAuthorizations",
        more=(*_CERTIFICATE_WAIT, *_permissions("certificatemanager.dnsauthorizations.use")),
    ),
    "gcp:compute/address:Address": Calls(
        ("compute.addresses.get",),
        (
            *_permissions("compute.addresses.create", "compute.addresses.setLabels", "compute.addresses.delete"),
            # An internal one is an address of a subnet.
            *_permissions("compute.addresses.createInternal", "compute.addresses.deleteInternal"),
            *_permissions("compute.subnetworks.use"),
            *_COMPUTE_WAIT,
        ),
    ),
    "gcp:compute/firewall:Firewall": _crud("compute.firewalls", create="insert", more=_COMPUTE_WAIT),
    "gcp:compute/globalAddress:GlobalAddress": _crud(
        "compute.globalAddresses", create="insert", update="setLabels", more=_COMPUTE_WAIT
    ),
    "gcp:compute/network:Network": _crud("compute.networks", create="insert", more=_COMPUTE_WAIT),
    "gcp:compute/regionSslPolicy:RegionSslPolicy": _crud(
        "compute.regionSslPolicies", create="insert", more=_COMPUTE_WAIT
    ),
    "gcp:compute/router:Router": _crud("compute.routers", create="insert", more=_COMPUTE_WAIT),
    "gcp:compute/routerNat:RouterNat": Calls(("compute.routers.get",), ("compute.routers.patch", *_COMPUTE_WAIT)),
    "gcp:compute/securityPolicy:SecurityPolicy": _crud(
        "compute.securityPolicies",
        create="insert",
        more=(*(f"compute.securityPolicies.{verb}" for verb in ("addRule", "patchRule", "removeRule")), *_COMPUTE_WAIT),
    ),
    "gcp:compute/sSLPolicy:SSLPolicy": _crud("compute.sslPolicies", create="insert", more=_COMPUTE_WAIT),
    "gcp:compute/subnetwork:Subnetwork": _crud("compute.subnetworks", create="insert", more=_COMPUTE_WAIT),
    "gcp:container/cluster:Cluster": _crud(
        _CLUSTERS,
        update="update",
        # The nodes' account belongs to the project: an identity that creates nodes acts as it.
        more=(*_CLUSTER_WAIT, *_permissions("iam.serviceAccounts.actAs")),
    ),
    "gcp:container/nodePool:NodePool": _crud(
        _POOLS, update="update", more=(*_CLUSTER_WAIT, *_permissions("iam.serviceAccounts.actAs"))
    ),
    "gcp:containeranalysis/note:Note": _crud("containeranalysis.projects.notes"),
    "gcp:containeranalysis/noteIamMember:NoteIamMember": _member("containeranalysis.projects.notes"),
    "gcp:dns/managedZone:ManagedZone": _crud("dns.managedZones", more=_permissions("dns.networks.bindPrivateDNSZone")),
    "gcp:dns/policy:Policy": _crud("dns.policies", more=_permissions("dns.networks.bindPrivateDNSPolicy")),
    "gcp:dns/recordSet:RecordSet": Calls(
        ("dns.resourceRecordSets.list",),
        ("dns.changes.get", *(f"dns.resourceRecordSets.{verb}" for verb in ("create", "patch", "delete"))),
    ),
    "gcp:gkebackup/backupPlan:BackupPlan": _crud(
        "gkebackup.projects.locations.backupPlans", more=("gkebackup.projects.locations.operations.get",)
    ),
    "gcp:kms/cryptoKey:CryptoKey": Calls(
        (f"{_KEYS}.cryptoKeys.get",), (f"{_KEYS}.cryptoKeys.create", f"{_KEYS}.cryptoKeys.patch")
    ),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": _member(f"{_KEYS}.cryptoKeys"),
    "gcp:kms/keyRing:KeyRing": Calls((f"{_KEYS}.get",), (f"{_KEYS}.create",)),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": _crud(
        "logging.projects.locations.buckets",
        more=("logging.projects.locations.buckets.createAsync", "logging.projects.locations.operations.get"),
    ),
    "gcp:logging/projectExclusion:ProjectExclusion": _crud("logging.projects.exclusions"),
    "gcp:logging/projectSink:ProjectSink": _crud("logging.projects.sinks"),
    "gcp:memorystore/instance:Instance": Calls(
        _permissions("memorystore.instances.get"),
        _permissions(
            *(f"memorystore.instances.{verb}" for verb in ("create", "update", "delete")), "memorystore.operations.get"
        ),
    ),
    "gcp:monitoring/alertPolicy:AlertPolicy": _crud("monitoring.projects.alertPolicies"),
    "gcp:monitoring/dashboard:Dashboard": _crud("monitoring.projects.dashboards"),
    "gcp:monitoring/notificationChannel:NotificationChannel": _crud("monitoring.projects.notificationChannels"),
    "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig": _crud("monitoring.projects.uptimeCheckConfigs"),
    "gcp:networkconnectivity/serviceConnectionPolicy:ServiceConnectionPolicy": _crud(
        "networkconnectivity.projects.locations.serviceConnectionPolicies",
        more=("networkconnectivity.projects.locations.operations.get",),
    ),
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": _PROJECT,
    "gcp:projects/iAMCustomRole:IAMCustomRole": _crud("iam.projects.roles", more=("iam.projects.roles.undelete",)),
    "gcp:projects/iAMMember:IAMMember": _PROJECT,
    "gcp:projects/service:Service": Calls(
        ("serviceusage.services.list", "cloudresourcemanager.projects.get"),
        ("serviceusage.services.batchEnable", "serviceusage.operations.get"),
    ),
    "gcp:projects/serviceIdentity:ServiceIdentity": Calls(
        ("cloudresourcemanager.projects.get",), ("serviceusage.services.enable",)
    ),
    "gcp:pubsub/topic:Topic": _crud("pubsub.projects.topics"),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": _member("pubsub.projects.topics"),
    "gcp:secretmanager/secret:Secret": _crud("secretmanager.projects.secrets"),
    "gcp:secretmanager/secretIamMember:SecretIamMember": _member("secretmanager.projects.secrets"),
    "gcp:serviceaccount/account:Account": _crud("iam.projects.serviceAccounts"),
    "gcp:serviceaccount/iAMMember:IAMMember": _member("iam.projects.serviceAccounts"),
    "gcp:sql/database:Database": _sql("databases", "get"),
    "gcp:sql/databaseInstance:DatabaseInstance": _sql("instances", "get"),
    "gcp:sql/user:User": _sql("users", "list"),
}
"""By Pulumi type. A test fails for a type that is missing here."""

SIGNING = tuple(token for token in TYPES if token.startswith(("gcp:containeranalysis/", "gcp:binaryauthorization/att")))
"""Signatures of releases, and who trusts them: long-lived environments only."""

CERTIFICATES = tuple(token for token in TYPES if token.startswith("gcp:certificatemanager/"))
"""Certificates: environments with a gateway only."""

BUDGETS = ("gcp:billing/budget:Budget",)
"""Budgets: long-lived environments only."""

KINDS: dict[str, str] = {
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy": "thirdPartyObjects",
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding": "thirdPartyObjects",
    "kubernetes:batch/v1:Job": "jobs",
    "kubernetes:core/v1:ConfigMap": "configMaps",
    "kubernetes:core/v1:LimitRange": "limitRanges",
    "kubernetes:core/v1:Namespace": "namespaces",
    "kubernetes:core/v1:PersistentVolumeClaim": "persistentVolumeClaims",
    "kubernetes:core/v1:ResourceQuota": "resourceQuotas",
    "kubernetes:core/v1:Secret": "secrets",
    "kubernetes:core/v1:ServiceAccount": "serviceAccounts",
    "kubernetes:core/v1:ServiceAccountPatch": "serviceAccounts",
    "kubernetes:gateway.networking.k8s.io/v1:Gateway": "thirdPartyObjects",
    "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute": "thirdPartyObjects",
    "kubernetes:helm.sh/v3:Release": "secrets",  # where Helm stores releases
    "kubernetes:monitoring.googleapis.com/v1:Rules": "thirdPartyObjects",
    "kubernetes:networking.gke.io/v1:GCPBackendPolicy": "thirdPartyObjects",
    "kubernetes:networking.gke.io/v1:GCPGatewayPolicy": "thirdPartyObjects",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": "networkPolicies",
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole": "clusterRoles",
    "kubernetes:rbac.authorization.k8s.io/v1:Role": "roles",
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": "roleBindings",
    "kubernetes:scheduling.k8s.io/v1:PriorityClass": "priorityClasses",
    "kubernetes:secret-sync.gke.io/v1:SecretSync": "thirdPartyObjects",
    "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass": "thirdPartyObjects",
    "kubernetes:storage.k8s.io/v1:StorageClass": "storageClasses",
}
"""The KIND of GKE's permission `container.KIND.VERB`, by Pulumi type; `thirdPartyObjects` for kinds without one.
https://cloud.google.com/kubernetes-engine/docs/reference/api-permissions"""

REACH = ("container.clusters.connect", "container.clusters.get")
"""Permissions to find a cluster and to reach its DNS endpoint."""


def methods() -> set[str]:
    """Every API method in the table."""
    methods = (method for calls in TYPES.values() for method in (*calls.read, *calls.write))
    return {call for call in methods if not call.startswith("permission:")}


def permissions(calls: Iterable[str]) -> frozenset[str]:
    """The permissions that calls need."""
    named = set(calls)
    plain = {call for call in named if call.startswith("permission:")}
    return roles.of_methods(named - plain) | {call.removeprefix("permission:") for call in plain}


def reads(types: Iterable[str]) -> frozenset[str]:
    """The permissions that a refresh of resources needs."""
    items = list(types)
    google = permissions(call for token in items if token in TYPES for call in TYPES[token].read)
    inside = {f"container.{KINDS[token]}.{verb}" for token in items if token in KINDS for verb in ("get", "list")}
    return google | inside | (set(REACH) if inside else set())


def writes(types: Iterable[str]) -> frozenset[str]:
    """The permissions that an update needs in Google Cloud in addition to a refresh; not inside clusters."""
    return permissions(call for token in types if token in TYPES for call in TYPES[token].write)
