"""Every policy rule, a resource that breaks each, and the resources of the real environments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from support.mocks import Recording

from components.type_tokens import BACKEND_POLICY, GATEWAY, REDIS_INSTANCE, ROUTE
from policies.catalog import RULES as ALL_RULES
from policies.rule import CheckedResource, Rule, StackContext

RULES = {rule.name: rule for rule in ALL_RULES}

ALERT_POLICY = "gcp:monitoring/alertPolicy:AlertPolicy"
CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
SQL = "gcp:sql/databaseInstance:DatabaseInstance"
MEMBER = "gcp:projects/iAMMember:IAMMember"
NAMESPACE = "kubernetes:core/v1:Namespace"
ALL_NAMESPACES = {"allowedRoutes": {"namespaces": {"from": "All"}}}
SHIELDED = "nodeConfig.shieldedInstanceConfig.enableSecureBoot"

# Rule, type, properties of the resource, message of the violation.
BROKEN: list[tuple[str, str, dict[str, Any], str]] = [
    (
        "redis-encrypted-and-authorized",
        REDIS_INSTANCE,
        {"transitEncryptionMode": "SERVER_AUTHENTICATION", "authorizationMode": "AUTH_DISABLED"},
        "authorizationMode must be IAM_AUTH",
    ),
    ("redis-valkey", "gcp:redis/instance:Instance", {}, "use components/redis.py"),
    (
        "cluster-private",
        CLUSTER,
        {"privateClusterConfig": {"enablePrivateNodes": False}},
        "enablePrivateNodes must be true",
    ),
    ("cluster-dataplane", CLUSTER, {"datapathProvider": "LEGACY_DATAPATH"}, "must be ADVANCED_DATAPATH"),
    ("cluster-workload-identity", CLUSTER, {}, "workloadPool must be"),
    ("cluster-no-default-pool", CLUSTER, {"removeDefaultNodePool": True, "nodePools": [{}]}, "nodePools must be"),
    ("cluster-secrets-encrypted", CLUSTER, {"databaseEncryption": {"state": "DECRYPTED"}}, "must be ENCRYPTED"),
    ("cluster-binary-authorization", CLUSTER, {}, "evaluationMode must be"),
    ("cluster-hardened", CLUSTER, {"enableLegacyAbac": True}, "enableLegacyAbac must be false"),
    ("cluster-release-channel", CLUSTER, {"releaseChannel": {"channel": "UNSPECIFIED"}}, "channel must be RAPID"),
    ("cluster-logging", CLUSTER, {"loggingConfig": {"enableComponents": ["WORKLOADS"]}}, "lacks SYSTEM_COMPONENTS"),
    ("cluster-labels", CLUSTER, {"resourceLabels": {"environment": "x"}}, "resourceLabels.owner is missing"),
    (
        "nodes-account",
        POOL,
        {"nodeConfig": {"serviceAccount": "1-compute@developer.gserviceaccount.com"}},
        "only the nodes of this cluster use",
    ),
    ("nodes-private", POOL, {}, "enablePrivateNodes must be true"),
    (
        "nodes-shielded",
        POOL,
        {"nodeConfig": {"shieldedInstanceConfig": {"enableSecureBoot": False}}},
        f"{SHIELDED} must be true",
    ),
    (
        "nodes-metadata",
        POOL,
        {"nodeConfig": {"workloadMetadataConfig": {"mode": "GCE_METADATA"}}},
        "must be GKE_METADATA",
    ),
    ("nodes-managed", POOL, {"management": {"autoRepair": True}}, "autoUpgrade must be true"),
    ("nodes-kubelet", POOL, {}, "must be FALSE"),
    ("database-private", SQL, {"settings": {"ipConfiguration": {}}}, "the default is true"),
    ("database-encrypted-connections", SQL, {"settings": {"connectorEnforcement": "REQUIRED"}}, "sslMode must be"),
    (
        "database-backups",
        SQL,
        {"settings": {"backupConfiguration": {"enabled": True}}},
        "pointInTimeRecoveryEnabled must",
    ),
    ("database-audited", SQL, {"databaseVersion": "POSTGRES_18"}, "log_connections must be on"),
    ("database-no-passwords", "gcp:sql/user:User", {"type": "BUILT_IN", "password": "x"}, "password must not be set"),
    (
        "database-administrator",
        "gcp:sql/user:User",
        {"name": "orders-sql@acme.iam", "databaseRoles": ["cloudsqlsuperuser"]},
        "orders-sql@acme.iam could read and change every database",
    ),
    ("deletion-guards", SQL, {}, "must be protected"),
    ("deletion-guards", "gcp:artifactregistry/repository:Repository", {}, "must be protected"),
    ("deletion-guards", "gcp:compute/address:Address", {}, "must be protected"),
    ("backup-of-clusters", CLUSTER, {}, "has no gkebackup.BackupPlan"),
    ("no-secret-values", "gcp:secretmanager/secretVersion:SecretVersion", {}, "gcloud secrets versions add"),
    ("no-plain-secrets", "kubernetes:core/v1:Secret", {"stringData": {"a": "b"}}, "stringData must be empty"),
    ("key-rotation", "gcp:kms/cryptoKey:CryptoKey", {"rotationPeriod": "8640000s"}, "7776000s or less"),
    ("network-custom", "gcp:compute/network:Network", {}, "autoCreateSubnetworks must be false"),
    ("subnet-logged", "gcp:compute/subnetwork:Subnetwork", {"privateIpGoogleAccess": True}, "logConfig is missing"),
    (
        "firewall-closed",
        "gcp:compute/firewall:Firewall",
        {"allows": [{"protocol": "tcp"}], "sourceRanges": ["0.0.0.0/0"]},
        "entire internet",
    ),
    (
        "gateway-internal",
        GATEWAY,
        {
            "metadata": {"name": "internal", "namespace": "gateway"},
            "spec": {"gatewayClassName": "gke-l7-global-external-managed"},
        },
        "gatewayClassName must be gke-l7-rilb",
    ),
    ("gateway-armored", BACKEND_POLICY, {"spec": {"default": {"timeoutSec": 30}}}, "name the Cloud Armor policy"),
    (
        "gateway-https",
        GATEWAY,
        {"spec": {"listeners": [{"name": "web", "protocol": "HTTP", **ALL_NAMESPACES}]}},
        "takes routes of other namespaces by plain HTTP",
    ),
    (
        "route-https",
        ROUTE,
        {"spec": {"parentRefs": [{"name": "main"}], "hostnames": ["a.b"], "rules": [{"backendRefs": [{}]}]}},
        "write sectionName: https",
    ),
    (
        "route-armored",
        ROUTE,
        {"spec": {"parentRefs": [{"name": "main"}], "rules": [{"backendRefs": [{"name": "orders"}]}]}},
        "Service orders has no GCPBackendPolicy",
    ),
    (
        "iap-client",
        BACKEND_POLICY,
        {"spec": {"default": {"iap": {"enabled": True, "clientID": "a"}}}},
        "oauth2ClientSecret.name is missing",
    ),
    ("gateway-tls", "gcp:compute/sSLPolicy:SSLPolicy", {"profile": "COMPATIBLE"}, "profile must be MODERN"),
    (
        "armor-rate-limit",
        "gcp:compute/securityPolicy:SecurityPolicy",
        {"rules": [{"action": "throttle", "preview": True}, {"action": "allow"}]},
        "none limits the requests",
    ),
    (
        "iap-groups",
        MEMBER,
        {"role": "roles/iap.httpsResourceAccessor", "member": "domain:example.com"},
        "member domain:example.com is no group",
    ),
    ("dns-signed", "gcp:dns/managedZone:ManagedZone", {"visibility": "public"}, "dnssecConfig.state must be on"),
    ("registry-not-gcr", "gcp:container/registry:Registry", {}, r"use artifactregistry\.Repository"),
    ("registry-cleaned", "gcp:artifactregistry/repository:Repository", {}, "cleanupPolicies is empty"),
    ("registry-encrypted", "gcp:artifactregistry/repository:Repository", {}, "kmsKeyName is missing"),
    ("iam-no-basic-roles", MEMBER, {"role": "roles/editor"}, "is a basic role"),
    (
        "iam-not-public",
        "gcp:storage/bucketIAMBinding:BucketIAMBinding",
        {"members": ["allUsers"]},
        "everyone on the internet",
    ),
    ("iam-additive", "gcp:projects/iAMPolicy:IAMPolicy", {}, "removes all members that it does not list"),
    ("iam-no-keys", "gcp:serviceaccount/key:Key", {}, "workload identity federation"),
    ("namespace-pod-security", NAMESPACE, {"metadata": {"name": "a"}}, "must be restricted or baseline"),
    ("namespace-quota", NAMESPACE, {"metadata": {"name": "a"}}, "namespace a has no ResourceQuota"),
    (
        "rbac-database-rights",
        "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
        {"metadata": {"namespace": "database-rights"}, "roleRef": {"name": "view"}},
        "namespace is database-rights, whose pods read and change every database",
    ),
    ("alert-channel", ALERT_POLICY, {"enabled": True, "severity": "CRITICAL"}, "no channel is notified of severity"),
    (
        "production-budget",
        ALERT_POLICY,
        {"severity": "CRITICAL"},
        "pages people and has no budget; add monitoring.budget",
    ),
    ("production-audit-logs", ALERT_POLICY, {"severity": "CRITICAL"}, "after 30 days; add logs.audit_days"),
    ("cluster-alerts", CLUSTER, {}, "cluster has no monitoring.AlertPolicy"),
    ("namespace-default-deny", NAMESPACE, {"metadata": {"name": "a"}}, "namespace a has no NetworkPolicy"),
    (
        "rbac-no-cluster-admin",
        "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
        {"roleRef": {"name": "cluster-admin"}},
        "bind a role",
    ),
]


def violations(rule: Rule, resources: list[CheckedResource], context: StackContext | None = None) -> list[str]:
    checked = [resource for resource in resources if rule.applies(resource.type)]
    context = context or StackContext()
    if rule.stack is not None:
        return [f"{resource.name}: {message}" for resource, message in rule.stack(checked, context)]
    assert rule.resource is not None
    return [f"{resource.name}: {message}" for resource in checked for message in rule.resource(resource, context)]


def environments(recordings: Mapping[str, Recording]) -> dict[str, list[CheckedResource]]:
    """Resources as the program declares them for each real stack file."""
    return {
        stack: [
            CheckedResource(resource.type, resource.name, resource.inputs, resource.protect, resource.urn)
            for resource in recording.resources.values()
            if resource.custom
        ]
        for stack, recording in recordings.items()
    }
