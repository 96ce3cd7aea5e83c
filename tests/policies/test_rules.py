"""Every rule: the real environments keep it, and a resource that does not is told what to mend."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from support.mocks import Recording
from support.policies import BROKEN, CLUSTER, MEMBER, NAMESPACE, POOL, RULES, SQL, violations
from support.policies import environments as resources_of

from policies.rule import UNKNOWN, Environment, Resource
from policies.rules import ALL

ACCEPTED = {("ci", "backup-of-clusters"), ("ci", "cluster-secrets-encrypted"), ("ci", "deletion-guards"),
            ("ci", "namespace-pod-security"),
            ("staging", "backup-of-clusters")}  # fmt: skip
"""Told or exempt: stacks/Pulumi.ci.yaml is not mandatory, stacks/Pulumi.staging.yaml has an exemption."""

IN_CLUSTER = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
REPOSITORY = "gcp:artifactregistry/repository:Repository"
FLAGS = "settings.databaseFlags"

# One value of a resource of production changed: type, path, new value (None removes it), the only thing that is said.
ONE_STEP_OFF: list[tuple[str, str, Any, str]] = [
    (CLUSTER, "privateClusterConfig.enablePrivateNodes", False, "cluster-private: .*enablePrivateNodes must be true"),
    (CLUSTER, "privateClusterConfig", None, "cluster-private: .*enablePrivateNodes must be true"),
    (CLUSTER, "controlPlaneEndpointsConfig.ipEndpointsConfig.enabled", True, "cluster-private: .*enabled must be false"),
    (CLUSTER, "controlPlaneEndpointsConfig.ipEndpointsConfig", None, "cluster-private: .*enabled must be false"),
    (CLUSTER, "datapathProvider", "LEGACY_DATAPATH", "cluster-dataplane: .*must be ADVANCED_DATAPATH"),
    (CLUSTER, "workloadIdentityConfig.workloadPool", "", "cluster-workload-identity: .*workloadPool must be"),
    (CLUSTER, "removeDefaultNodePool", False, "cluster-no-default-pool: .*removeDefaultNodePool must be true"),
    (CLUSTER, "nodePools", [{"name": "p"}], "cluster-no-default-pool: .*nodePools must be resources of their own"),
    (CLUSTER, "databaseEncryption.state", "DECRYPTED", "cluster-secrets-encrypted: .*must be ENCRYPTED"),
    (CLUSTER, "binaryAuthorization.evaluationMode", "DISABLED", "cluster-binary-authorization: .*must be PROJECT_SINGLETON"),
    (CLUSTER, "enableLegacyAbac", True, "cluster-hardened: .*enableLegacyAbac must be false"),
    (CLUSTER, "masterAuth.clientCertificateConfig.issueClientCertificate", True, "cluster-hardened: .*issueClientCertificate"),
    (CLUSTER, "enableShieldedNodes", False, "cluster-hardened: .*enableShieldedNodes must be true"),
    (CLUSTER, "anonymousAuthenticationConfig.mode", "ENABLED", "cluster-hardened: .*must be LIMITED"),
    (CLUSTER, "releaseChannel.channel", "UNSPECIFIED", "cluster-release-channel: .*channel must be"),
    (CLUSTER, "loggingConfig.enableComponents", ["SYSTEM_COMPONENTS"], "cluster-logging: .*lacks WORKLOADS"),
    (CLUSTER, "loggingConfig.enableComponents", ["WORKLOADS"], "cluster-logging: .*lacks SYSTEM_COMPONENTS"),
    (CLUSTER, "resourceLabels.owner", "", "cluster-labels: .*owner is missing"),
    (CLUSTER, "resourceLabels.environment", "", "cluster-labels: .*environment is missing"),
    (POOL, "nodeConfig.serviceAccount", "", "nodes-account: .*of the cluster's own"),
    (POOL, "nodeConfig.serviceAccount", "1-compute@developer.gserviceaccount.com", "nodes-account: .*of the cluster's own"),
    (POOL, "networkConfig.enablePrivateNodes", False, "nodes-private: .*must be true"),
    (POOL, "nodeConfig.shieldedInstanceConfig.enableSecureBoot", False, "nodes-shielded: .*enableSecureBoot must be true"),
    (POOL, "nodeConfig.shieldedInstanceConfig.enableIntegrityMonitoring", False, "nodes-shielded: .*Monitoring must be true"),
    (POOL, "nodeConfig.workloadMetadataConfig.mode", "GCE_METADATA", "nodes-metadata: .*must be GKE_METADATA"),
    (POOL, "management.autoRepair", False, "nodes-managed: .*autoRepair must be true"),
    (POOL, "management.autoUpgrade", False, "nodes-managed: .*autoUpgrade must be true"),
    (POOL, "nodeConfig.imageType", "UBUNTU_CONTAINERD", "nodes-managed: .*must be COS_CONTAINERD"),
    (POOL, "nodeConfig.kubeletConfig.insecureKubeletReadonlyPortEnabled", "TRUE", "nodes-kubelet: .*must be FALSE"),
    (SQL, "settings.ipConfiguration.ipv4Enabled", True, "database-private: .*must be false"),
    (SQL, "settings.ipConfiguration.ipv4Enabled", None, "database-private: .*left out it is true"),
    (SQL, "settings.ipConfiguration.sslMode", "ALLOW_UNENCRYPTED_AND_ENCRYPTED", "database-encrypted-connections: .*sslMode"),
    (SQL, "settings.connectorEnforcement", "NOT_REQUIRED", "database-encrypted-connections: .*must be REQUIRED"),
    (SQL, "settings.backupConfiguration.enabled", False, "database-backups: .*enabled must be true"),
    (SQL, "settings.backupConfiguration.pointInTimeRecoveryEnabled", False, "database-backups: .*RecoveryEnabled must be true"),
    *((SQL, f"{FLAGS}.{flag}", "off", f"database-audited: .*{flag} must be on")
      for flag in ("cloudsql.iam_authentication", "cloudsql.enable_pgaudit", "log_connections", "log_disconnections")),
    ("gcp:sql/user:User", "type", "BUILT_IN", "database-no-passwords: .*CLOUD_IAM"),
    ("gcp:sql/user:User", "password", "x", "database-no-passwords: .*password must not be set"),
    ("gcp:sql/user:User", "passwordWo", "x", "database-no-passwords: .*passwordWo must not be set"),
    ("kubernetes:core/v1:Secret", "data", {"a": "Yg=="}, "no-plain-secrets: .*data must be empty"),
    ("kubernetes:core/v1:Secret", "stringData", {"a": "b"}, "no-plain-secrets: .*stringData must be empty"),
    ("gcp:kms/cryptoKey:CryptoKey", "rotationPeriod", None, "key-rotation: .*7776000s or less"),
    ("gcp:kms/cryptoKey:CryptoKey", "rotationPeriod", "7776001s", "key-rotation: .*7776000s or less"),
    ("gcp:compute/network:Network", "autoCreateSubnetworks", True, "network-custom: .*must be false"),
    ("gcp:compute/subnetwork:Subnetwork", "logConfig", None, "subnet-logged: .*logConfig is missing"),
    ("gcp:compute/subnetwork:Subnetwork", "privateIpGoogleAccess", False, "subnet-logged: .*must be true"),
    (REPOSITORY, "cleanupPolicies", [], "registry-cleaned: .*cleanupPolicies is empty"),
    (REPOSITORY, "kmsKeyName", None, "registry-encrypted: .*kmsKeyName is missing"),
    *((MEMBER, "role", role, "iam-no-basic-roles: .*gives nearly everything")
      for role in ("roles/owner", "roles/editor", "roles/viewer")),
    (MEMBER, "member", "allUsers", "iam-not-public: .*everybody in the world"),
    (MEMBER, "member", "allAuthenticatedUsers", "iam-not-public: .*everybody in the world"),
    (NAMESPACE, "metadata.labels", {"pod-security.kubernetes.io/enforce": "privileged"}, "namespace-pod-security: .*must be"),
]  # fmt: skip


@pytest.fixture(scope="module")
def environments(recordings: dict[str, Recording]) -> dict[str, list[Resource]]:
    return resources_of(recordings)


def test_every_rule_has_a_resource_that_breaks_it() -> None:
    assert {name for name, *_ in BROKEN} == RULES.keys()
    assert len(RULES) == len(ALL)


@pytest.mark.parametrize(("name", "token", "properties", "message"), BROKEN, ids=[one[0] for one in BROKEN])
def test_what_breaks_a_rule_is_told(name: str, token: str, properties: dict[str, Any], message: str) -> None:
    found = violations(RULES[name], [Resource(token, "it", properties)])
    assert any(re.search(message, one) for one in found), found


def changed(properties: Any, path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a path; Cloud SQL's flags are a list of names and values."""
    made: dict[str, Any] = json.loads(json.dumps(properties))
    if path.startswith(f"{FLAGS}."):
        for flag in made["settings"]["databaseFlags"]:
            if flag["name"] == path.removeprefix(f"{FLAGS}."):
                flag["value"] = value
        return made
    *parents, last = path.split(".")
    place = made
    for part in parents:
        place = place.setdefault(part, {})
    if value is None:
        del place[last]
    else:
        place[last] = value
    return made


@pytest.mark.parametrize(
    ("token", "path", "value", "message"), ONE_STEP_OFF, ids=[f"{one[0].rpartition(':')[2]}-{one[1]}-{one[2]}" for one in ONE_STEP_OFF]
)  # fmt: skip
def test_one_step_from_production_is_told_once_and_by_its_own_rule(
    token: str, path: str, value: Any, message: str, environments: dict[str, list[Resource]]
) -> None:
    stack = "ci" if token in (REPOSITORY, "kubernetes:core/v1:Secret") else "production"
    # A repository that fetches from elsewhere cleans itself; the others come after it.
    one = next(one for one in environments[stack] if one.type == token and one.get("mode") != "REMOTE_REPOSITORY")
    off = replace(one, properties=changed(one.properties, path, value))
    rules = [rule for rule in ALL if rule.resource is not None]
    assert [said for rule in rules for said in violations(rule, [one]) if stack == "production"] == []
    told = [f"{rule.name}: {said}" for rule in rules for said in violations(rule, [off])]
    assert len(told) == 1, told
    assert re.match(message, told[0]), told


@pytest.mark.parametrize(
    ("spec", "closes"),
    [
        ({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}, True),
        ({"podSelector": {}, "policyTypes": ["Ingress"]}, False),
        ({"podSelector": {}, "policyTypes": ["Egress"]}, False),
        ({"podSelector": {"matchLabels": {"a": "b"}}, "policyTypes": ["Ingress", "Egress"]}, False),
        ({"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}]}, False),
        ({"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [{}]}, False),
    ],
)
def test_only_a_policy_for_all_pods_and_both_ways_closes_a_namespace(spec: dict[str, Any], *, closes: bool) -> None:
    there = [
        Resource(NAMESPACE, "n", {"metadata": {"name": "a"}}),
        Resource(IN_CLUSTER, "p", {"metadata": {"namespace": "a"}, "spec": spec}),
    ]
    assert (violations(RULES["namespace-default-deny"], there) == []) is closes


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"allows": [{"protocol": "tcp"}], "sourceRanges": ["0.0.0.0/0"]}, True),
        ({"allows": [{"protocol": "tcp"}], "sourceRanges": ["10.0.0.0/8", "::/0"]}, True),
        ({"allows": [{"protocol": "tcp"}]}, True),
        ({"allows": [{"protocol": "tcp"}], "sourceTags": ["bastion"]}, False),
        ({"allows": [{"protocol": "tcp"}], "sourceServiceAccounts": ["a@b"]}, False),
        ({"allows": [{"protocol": "tcp"}], "sourceRanges": ["10.0.0.0/8"]}, False),
        ({"allows": [{"protocol": "tcp"}], "direction": "EGRESS"}, False),
        ({"denies": [{"protocol": "all"}], "sourceRanges": ["0.0.0.0/0"]}, False),
        ({"allows": [{"protocol": "tcp"}], "sourceRanges": UNKNOWN}, False),
    ],
)
def test_a_firewall_that_names_no_source_lets_everybody_in(properties: dict[str, Any], *, told: bool) -> None:
    one = Resource("gcp:compute/firewall:Firewall", "it", properties)
    assert bool(violations(RULES["firewall-closed"], [one])) is told


@pytest.mark.parametrize("name", RULES)
def test_the_real_environments_keep_it(name: str, environments: dict[str, list[Resource]]) -> None:
    broken = {stack for stack, resources in environments.items() if violations(RULES[name], resources)}
    assert broken == {stack for stack, rule in ACCEPTED if rule == name}


def test_each_rule_but_those_on_what_we_never_make_sees_something(environments: dict[str, list[Resource]]) -> None:
    made = {one.type for resources in environments.values() for one in resources}
    blind = {rule.name for rule in ALL if not any(rule.applies(token) for token in made)}
    assert blind == {"no-secret-values", "registry-not-gcr", "iam-no-keys"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [("on", 0), ("all", 0), ("receipt,authentication,authorization", 0), ("receipt", 1), ("off", 1), ("", 1)],
)
def test_connections_are_logged_whichever_way_the_version_says_it(value: str, expected: int) -> None:
    switches = ("cloudsql.iam_authentication", "cloudsql.enable_pgaudit", "log_disconnections")
    flags = [{"name": name, "value": "on"} for name in switches] + [{"name": "log_connections", "value": value}]
    one = Resource(SQL, "it", {"databaseVersion": "POSTGRES_18", "settings": {"databaseFlags": flags}})
    assert len(violations(RULES["database-audited"], [one])) == expected


def test_a_popup_has_no_guard_of_the_provider_either() -> None:
    one = Resource(REPOSITORY, "it", {"deletionPolicy": "PREVENT"})
    told = violations(RULES["deletion-guards"], [one], Environment("popup"))
    assert told == ["it: a popup has no deletion guards; its end would fail"]


@pytest.mark.parametrize(
    ("kind", "protect", "expected"),
    [("long-lived", True, 0), ("long-lived", False, 1), ("popup", True, 1), ("popup", False, 0)],
)
def test_guards_stand_where_an_environment_lasts(kind: str, *, protect: bool, expected: int) -> None:
    one = Resource(SQL, "it", {}, protect)
    assert len(violations(RULES["deletion-guards"], [one], Environment(kind))) == expected


def test_every_rule_names_its_source() -> None:
    assert [rule.name for rule in ALL if len(rule.source) < 10 or not rule.description.endswith(".")] == []
