"""Every policy rule, a resource that breaks each, and the resources of the real environments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from support.mocks import Recording

from policies.rule import Environment, Resource, Rule
from policies.rules import ALL

RULES = {rule.name: rule for rule in ALL}

CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
SQL = "gcp:sql/databaseInstance:DatabaseInstance"
MEMBER = "gcp:projects/iAMMember:IAMMember"
NAMESPACE = "kubernetes:core/v1:Namespace"
SHIELDED = "nodeConfig.shieldedInstanceConfig.enableSecureBoot"

# Rule, type, what the resource says, what the violation says.
BROKEN: list[tuple[str, str, dict[str, Any], str]] = [
    ("cluster-private", CLUSTER, {"privateClusterConfig": {"enablePrivateNodes": False}}, "enablePrivateNodes must be true"),
    ("cluster-dataplane", CLUSTER, {"datapathProvider": "LEGACY_DATAPATH"}, "must be ADVANCED_DATAPATH"),
    ("cluster-workload-identity", CLUSTER, {}, "workloadPool must be"),
    ("cluster-no-default-pool", CLUSTER, {"removeDefaultNodePool": True, "nodePools": [{}]}, "nodePools must be"),
    ("cluster-secrets-encrypted", CLUSTER, {"databaseEncryption": {"state": "DECRYPTED"}}, "must be ENCRYPTED"),
    ("cluster-binary-authorization", CLUSTER, {}, "evaluationMode must be"),
    ("cluster-hardened", CLUSTER, {"enableLegacyAbac": True}, "enableLegacyAbac must be false"),
    ("cluster-release-channel", CLUSTER, {"releaseChannel": {"channel": "UNSPECIFIED"}}, "channel must be RAPID"),
    ("cluster-logging", CLUSTER, {"loggingConfig": {"enableComponents": ["WORKLOADS"]}}, "lacks SYSTEM_COMPONENTS"),
    ("cluster-labels", CLUSTER, {"resourceLabels": {"environment": "x"}}, "resourceLabels.owner is missing"),
    ("nodes-account", POOL, {"nodeConfig": {"serviceAccount": "1-compute@developer.gserviceaccount.com"}}, "of the cluster's own"),
    ("nodes-private", POOL, {}, "enablePrivateNodes must be true"),
    ("nodes-shielded", POOL, {"nodeConfig": {"shieldedInstanceConfig": {"enableSecureBoot": False}}}, f"{SHIELDED} must be true"),
    ("nodes-metadata", POOL, {"nodeConfig": {"workloadMetadataConfig": {"mode": "GCE_METADATA"}}}, "must be GKE_METADATA"),
    ("nodes-managed", POOL, {"management": {"autoRepair": True}}, "autoUpgrade must be true"),
    ("nodes-kubelet", POOL, {}, "must be FALSE"),
    ("database-private", SQL, {"settings": {"ipConfiguration": {}}}, "left out it is true"),
    ("database-encrypted-connections", SQL, {"settings": {"connectorEnforcement": "REQUIRED"}}, "sslMode must be"),
    ("database-backups", SQL, {"settings": {"backupConfiguration": {"enabled": True}}}, "pointInTimeRecoveryEnabled must"),
    ("database-audited", SQL, {"databaseVersion": "POSTGRES_18"}, "log_connections must be on"),
    ("database-no-passwords", "gcp:sql/user:User", {"type": "BUILT_IN", "password": "x"}, "password must not be set"),
    ("deletion-guards", SQL, {}, "must be protected"),
    ("deletion-guards", "gcp:artifactregistry/repository:Repository", {}, "must be protected"),
    ("deletion-guards", "gcp:compute/address:Address", {}, "must be protected"),
    ("backup-of-clusters", CLUSTER, {}, "there is no gkebackup.BackupPlan"),
    ("no-secret-values", "gcp:secretmanager/secretVersion:SecretVersion", {}, "gcloud secrets versions add"),
    ("no-plain-secrets", "kubernetes:core/v1:Secret", {"stringData": {"a": "b"}}, "stringData must be empty"),
    ("key-rotation", "gcp:kms/cryptoKey:CryptoKey", {"rotationPeriod": "8640000s"}, "7776000s or less"),
    ("network-custom", "gcp:compute/network:Network", {}, "autoCreateSubnetworks must be false"),
    ("subnet-logged", "gcp:compute/subnetwork:Subnetwork", {"privateIpGoogleAccess": True}, "logConfig is missing"),
    ("firewall-closed", "gcp:compute/firewall:Firewall", {"allows": [{"protocol": "tcp"}], "sourceRanges": ["0.0.0.0/0"]}, "whole internet"),
    ("registry-not-gcr", "gcp:container/registry:Registry", {}, r"use artifactregistry\.Repository"),
    ("registry-cleaned", "gcp:artifactregistry/repository:Repository", {}, "cleanupPolicies is empty"),
    ("registry-encrypted", "gcp:artifactregistry/repository:Repository", {}, "kmsKeyName is missing"),
    ("iam-no-basic-roles", MEMBER, {"role": "roles/editor"}, "gives nearly everything"),
    ("iam-not-public", "gcp:storage/bucketIAMBinding:BucketIAMBinding", {"members": ["allUsers"]}, "everybody in the world"),
    ("iam-additive", "gcp:projects/iAMPolicy:IAMPolicy", {}, "whoever is not in it loses access"),
    ("iam-no-keys", "gcp:serviceaccount/key:Key", {}, "workload identity federation"),
    ("namespace-pod-security", NAMESPACE, {"metadata": {"name": "a"}}, "must be restricted or baseline"),
    ("namespace-quota", NAMESPACE, {"metadata": {"name": "a"}}, "namespace a has no ResourceQuota"),
    ("namespace-default-deny", NAMESPACE, {"metadata": {"name": "a"}}, "namespace a has no NetworkPolicy"),
    ("rbac-no-cluster-admin", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", {"roleRef": {"name": "cluster-admin"}}, "bind a role"),
]  # fmt: skip


def violations(rule: Rule, resources: list[Resource], here: Environment | None = None) -> list[str]:
    seen = [one for one in resources if rule.applies(one.type)]
    here = here or Environment()
    if rule.stack is not None:
        return [f"{one.name}: {message}" for one, message in rule.stack(seen, here)]
    assert rule.resource is not None
    return [f"{one.name}: {message}" for one in seen for message in rule.resource(one, here)]


def environments(recordings: Mapping[str, Recording]) -> dict[str, list[Resource]]:
    """Resources as the program declares them for each real stack file."""
    return {
        stack: [
            Resource(one.type, one.name, one.inputs, one.protect, one.urn)
            for one in recording.resources.values()
            if one.custom
        ]
        for stack, recording in recordings.items()
    }
