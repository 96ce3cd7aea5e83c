"""Every rule: the real environments keep it, and a resource that does not is told what to mend."""

from __future__ import annotations

import re
from typing import Any

import pytest
from support.mocks import Recording

from policies.rule import UNKNOWN, Environment, Resource, Rule
from policies.rules import ALL

RULES = {rule.name: rule for rule in ALL}
ACCEPTED = {("ci", "backup-of-clusters"), ("ci", "cluster-secrets-encrypted"), ("ci", "deletion-guards"),
            ("ci", "namespace-pod-security"),
            ("staging", "backup-of-clusters")}  # fmt: skip
"""Told or exempt: stacks/Pulumi.ci.yaml is not mandatory, stacks/Pulumi.staging.yaml has an exemption."""

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


@pytest.fixture(scope="module")
def environments(recordings: dict[str, Recording]) -> dict[str, list[Resource]]:
    return {
        stack: [
            Resource(one.type, one.name, one.inputs, one.protect) for one in recording.resources.values() if one.custom
        ]
        for stack, recording in recordings.items()
    }


def test_every_rule_has_a_resource_that_breaks_it() -> None:
    assert {name for name, *_ in BROKEN} == RULES.keys()
    assert len(RULES) == len(ALL)


@pytest.mark.parametrize(("name", "token", "properties", "message"), BROKEN, ids=[one[0] for one in BROKEN])
def test_what_breaks_a_rule_is_told(name: str, token: str, properties: dict[str, Any], message: str) -> None:
    found = violations(RULES[name], [Resource(token, "it", properties)])
    assert any(re.search(message, one) for one in found), found


@pytest.mark.parametrize("name", RULES)
def test_the_real_environments_keep_it(name: str, environments: dict[str, list[Resource]]) -> None:
    broken = {stack for stack, resources in environments.items() if violations(RULES[name], resources)}
    assert broken == {stack for stack, rule in ACCEPTED if rule == name}


def test_each_rule_but_those_on_what_we_never_make_sees_something(environments: dict[str, list[Resource]]) -> None:
    made = {one.type for resources in environments.values() for one in resources}
    blind = {rule.name for rule in ALL if not any(rule.applies(token) for token in made)}
    assert blind == {"no-secret-values", "registry-not-gcr", "iam-no-keys"}


@pytest.mark.parametrize(
    "name", [name for name, rule in RULES.items() if rule.name.startswith(("cluster-p", "nodes-", "database-"))]
)
def test_what_a_preview_cannot_know_breaks_nothing(name: str, environments: dict[str, list[Resource]]) -> None:
    unknown = [
        Resource(one.type, one.name, dict.fromkeys(one.properties, UNKNOWN), one.protect)
        for one in environments["production"]
    ]
    assert violations(RULES[name], unknown) == []


@pytest.mark.parametrize(
    ("kind", "protect", "expected"),
    [("long-lived", True, 0), ("long-lived", False, 1), ("popup", True, 1), ("popup", False, 0)],
)
def test_guards_stand_where_an_environment_lasts(kind: str, *, protect: bool, expected: int) -> None:
    one = Resource(SQL, "it", {}, protect)
    assert len(violations(RULES["deletion-guards"], [one], Environment(kind))) == expected


def test_every_rule_names_its_source() -> None:
    assert [rule.name for rule in ALL if len(rule.source) < 10 or not rule.description.endswith(".")] == []
