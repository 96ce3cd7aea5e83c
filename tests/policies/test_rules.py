"""Every rule: the real environments satisfy it, and a resource that does not gets a message that says what to fix."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from support.mocks import Recording
from support.policies import ALL_NAMESPACES, BROKEN, CLUSTER, MEMBER, NAMESPACE, POOL, RULES, SQL, violations
from support.policies import environments as resources_of

from components.database_flags import CIS_MYSQL_FLAGS
from components.type_tokens import (
    ALERT_POLICY,
    BACKEND_POLICY,
    BUDGET,
    GATEWAY,
    LOG_BUCKET,
    REDIS_INSTANCE,
    ROUTE,
    SUBNETWORK,
)
from policies.catalog import RULES as ALL_RULES
from policies.rule import UNKNOWN, CheckedResource, StackContext

ACCEPTED = {
    ("ci", "backup-of-clusters"),
    ("ci", "cluster-secrets-encrypted"),
    ("ci", "deletion-guards"),
    ("ci", "namespace-pod-security"),
    ("staging", "backup-of-clusters"),
}
"""Advisory or exempt: stacks/Pulumi.ci.yaml is not mandatory, stacks/Pulumi.staging.yaml has an exemption."""

ARMOR = "gcp:compute/securityPolicy:SecurityPolicy"
IN_CLUSTER = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
REGIONAL_TLS = "gcp:compute/regionSslPolicy:RegionSslPolicy"
REPOSITORY = "gcp:artifactregistry/repository:Repository"
FLAGS = "settings.databaseFlags"

# One changed value of a resource of production: type, path, new value (None removes it), the only message.
ONE_STEP_OFF: list[tuple[str, str, Any, str]] = [
    (CLUSTER, "privateClusterConfig.enablePrivateNodes", False, "cluster-private: .*enablePrivateNodes must be true"),
    (CLUSTER, "privateClusterConfig", None, "cluster-private: .*enablePrivateNodes must be true"),
    (
        CLUSTER,
        "controlPlaneEndpointsConfig.ipEndpointsConfig.enabled",
        True,
        "cluster-private: .*enabled must be false",
    ),
    (CLUSTER, "controlPlaneEndpointsConfig.ipEndpointsConfig", None, "cluster-private: .*enabled must be false"),
    (CLUSTER, "datapathProvider", "LEGACY_DATAPATH", "cluster-dataplane: .*must be ADVANCED_DATAPATH"),
    (CLUSTER, "workloadIdentityConfig.workloadPool", "", "cluster-workload-identity: .*workloadPool must be"),
    (CLUSTER, "removeDefaultNodePool", False, "cluster-no-default-pool: .*removeDefaultNodePool must be true"),
    (CLUSTER, "nodePools", [{"name": "p"}], "cluster-no-default-pool: .*nodePools must be separate NodePool resources"),
    (CLUSTER, "databaseEncryption.state", "DECRYPTED", "cluster-secrets-encrypted: .*must be ENCRYPTED"),
    (
        CLUSTER,
        "binaryAuthorization.evaluationMode",
        "DISABLED",
        "cluster-binary-authorization: .*must be PROJECT_SINGLETON",
    ),
    (CLUSTER, "enableLegacyAbac", True, "cluster-hardened: .*enableLegacyAbac must be false"),
    (
        CLUSTER,
        "masterAuth.clientCertificateConfig.issueClientCertificate",
        True,
        "cluster-hardened: .*issueClientCertificate",
    ),
    (CLUSTER, "enableShieldedNodes", False, "cluster-hardened: .*enableShieldedNodes must be true"),
    (CLUSTER, "anonymousAuthenticationConfig.mode", "ENABLED", "cluster-hardened: .*must be LIMITED"),
    (CLUSTER, "releaseChannel.channel", "UNSPECIFIED", "cluster-release-channel: .*channel must be"),
    (CLUSTER, "loggingConfig.enableComponents", ["SYSTEM_COMPONENTS"], "cluster-logging: .*lacks WORKLOADS"),
    (CLUSTER, "loggingConfig.enableComponents", ["WORKLOADS"], "cluster-logging: .*lacks SYSTEM_COMPONENTS"),
    (CLUSTER, "resourceLabels.owner", "", "cluster-labels: .*owner is missing"),
    (CLUSTER, "resourceLabels.environment", "", "cluster-labels: .*environment is missing"),
    (POOL, "nodeConfig.serviceAccount", "", "nodes-account: .*only the nodes of this cluster use"),
    (
        POOL,
        "nodeConfig.serviceAccount",
        "1-compute@developer.gserviceaccount.com",
        "nodes-account: .*only the nodes of this cluster use",
    ),
    (POOL, "networkConfig.enablePrivateNodes", False, "nodes-private: .*must be true"),
    (
        POOL,
        "nodeConfig.shieldedInstanceConfig.enableSecureBoot",
        False,
        "nodes-shielded: .*enableSecureBoot must be true",
    ),
    (
        POOL,
        "nodeConfig.shieldedInstanceConfig.enableIntegrityMonitoring",
        False,
        "nodes-shielded: .*Monitoring must be true",
    ),
    (POOL, "nodeConfig.workloadMetadataConfig.mode", "GCE_METADATA", "nodes-metadata: .*must be GKE_METADATA"),
    (POOL, "management.autoRepair", False, "nodes-managed: .*autoRepair must be true"),
    (POOL, "management.autoUpgrade", False, "nodes-managed: .*autoUpgrade must be true"),
    (POOL, "nodeConfig.imageType", "UBUNTU_CONTAINERD", "nodes-managed: .*must be COS_CONTAINERD"),
    (POOL, "nodeConfig.kubeletConfig.insecureKubeletReadonlyPortEnabled", "TRUE", "nodes-kubelet: .*must be FALSE"),
    (SQL, "settings.ipConfiguration.ipv4Enabled", True, "database-private: .*must be false"),
    (SQL, "settings.ipConfiguration.ipv4Enabled", None, "database-private: .*the default is true"),
    (
        SQL,
        "settings.ipConfiguration.sslMode",
        "ALLOW_UNENCRYPTED_AND_ENCRYPTED",
        "database-encrypted-connections: .*sslMode",
    ),
    (SQL, "settings.connectorEnforcement", "NOT_REQUIRED", "database-encrypted-connections: .*must be REQUIRED"),
    (SQL, "settings.backupConfiguration.enabled", False, "database-backups: .*enabled must be true"),
    (
        SQL,
        "settings.backupConfiguration.pointInTimeRecoveryEnabled",
        False,
        "database-backups: .*RecoveryEnabled must be true",
    ),
    *(
        (SQL, f"{FLAGS}.{flag}", "off", f"database-audited: .*{flag} must be on")
        for flag in ("cloudsql.iam_authentication", "cloudsql.enable_pgaudit", "log_connections", "log_disconnections")
    ),
    (
        "gcp:sql/user:User",
        "databaseRoles",
        ["cloudsqlsuperuser"],
        "database-administrator: .*could read and change every database",
    ),
    (REDIS_INSTANCE, "transitEncryptionMode", None, "redis-encrypted-and-authorized: .*must be SERVER_AUTHENTICATION"),
    (
        REDIS_INSTANCE,
        "transitEncryptionMode",
        "TRANSIT_ENCRYPTION_DISABLED",
        "redis-encrypted-and-authorized: .*must be SERVER_AUTHENTICATION",
    ),
    (REDIS_INSTANCE, "authorizationMode", None, "redis-encrypted-and-authorized: .*must be IAM_AUTH"),
    (REDIS_INSTANCE, "authorizationMode", "AUTH_DISABLED", "redis-encrypted-and-authorized: .*must be IAM_AUTH"),
    ("gcp:sql/user:User", "type", "BUILT_IN", "database-no-passwords: .*CLOUD_IAM"),
    ("gcp:sql/user:User", "password", "x", "database-no-passwords: .*password must not be set"),
    ("gcp:sql/user:User", "passwordWo", "x", "database-no-passwords: .*passwordWo must not be set"),
    ("gcp:kms/cryptoKey:CryptoKey", "rotationPeriod", None, "key-rotation: .*7776000s or less"),
    ("gcp:kms/cryptoKey:CryptoKey", "rotationPeriod", "7776001s", "key-rotation: .*7776000s or less"),
    ("gcp:compute/network:Network", "autoCreateSubnetworks", True, "network-custom: .*must be false"),
    ("gcp:compute/subnetwork:Subnetwork", "logConfig", None, "subnet-logged: .*logConfig is missing"),
    ("gcp:compute/subnetwork:Subnetwork", "privateIpGoogleAccess", False, "subnet-logged: .*must be true"),
    (REPOSITORY, "cleanupPolicies", [], "registry-cleaned: .*cleanupPolicies is empty"),
    (REPOSITORY, "kmsKeyName", None, "registry-encrypted: .*kmsKeyName is missing"),
    *(
        (MEMBER, "role", role, "iam-no-basic-roles: .*is a basic role")
        for role in ("roles/owner", "roles/editor", "roles/viewer")
    ),
    (BACKEND_POLICY, "spec.default.iap", {"clientID": "a"}, "iap-client: .*oauth2ClientSecret.name is missing"),
    (GATEWAY, "metadata.name", "internal", "gateway-internal: .*gatewayClassName must be gke-l7-rilb"),
    (ROUTE, "spec.hostnames", [], "route-https: .*takes every host"),
    ("gcp:compute/sSLPolicy:SSLPolicy", "minTlsVersion", "TLS_1_0", "gateway-tls: .*minTlsVersion must be"),
    ("gcp:compute/sSLPolicy:SSLPolicy", "profile", None, "gateway-tls: .*profile must be"),
    (ARMOR, "rules", [{"action": "deny(403)", "preview": False}], "armor-rate-limit: .*none limits"),
    (MEMBER, "member", "allUsers", "iam-not-public: .*everyone on the internet"),
    (MEMBER, "member", "allAuthenticatedUsers", "iam-not-public: .*everyone on the internet"),
    (
        NAMESPACE,
        "metadata.labels",
        {"pod-security.kubernetes.io/enforce": "privileged"},
        "namespace-pod-security: .*must be",
    ),
]


@pytest.fixture(scope="module")
def environments(recordings: dict[str, Recording]) -> dict[str, list[CheckedResource]]:
    return resources_of(recordings)


def test_every_rule_has_a_resource_that_breaks_it() -> None:
    assert {name for name, *_ in BROKEN} == RULES.keys()
    assert len(RULES) == len(ALL_RULES)


@pytest.mark.parametrize(("name", "token", "properties", "message"), BROKEN, ids=[case[0] for case in BROKEN])
def test_a_violation_is_reported(name: str, token: str, properties: dict[str, Any], message: str) -> None:
    messages = violations(RULES[name], [CheckedResource(token, "it", properties)])
    assert any(re.search(message, item) for item in messages), messages


def changed(properties: Any, path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a path; Cloud SQL's flags are a list of names and values."""
    copy: dict[str, Any] = json.loads(json.dumps(properties))
    if path.startswith(f"{FLAGS}."):
        for flag in copy["settings"]["databaseFlags"]:
            if flag["name"] == path.removeprefix(f"{FLAGS}."):
                flag["value"] = value
        return copy
    *parents, last = path.split(".")
    parent = copy
    for part in parents:
        parent = parent.setdefault(part, {})
    if value is None:
        del parent[last]
    else:
        parent[last] = value
    return copy


@pytest.mark.parametrize(
    ("token", "path", "value", "message"),
    ONE_STEP_OFF,
    ids=[f"{case[0].rpartition(':')[2]}-{case[1]}-{case[2]}" for case in ONE_STEP_OFF],
)
def test_one_wrong_value_is_reported_once_and_by_its_own_rule(
    token: str, path: str, value: Any, message: str, environments: dict[str, list[CheckedResource]]
) -> None:
    stack = "ci" if token == REPOSITORY else "production"
    # A remote repository needs no cleanup policy, so it is skipped.
    resource = next(
        candidate
        for candidate in environments[stack]
        if candidate.type == token and candidate.get("mode") != "REMOTE_REPOSITORY"
    )
    wrong = replace(resource, properties=changed(resource.properties, path, value))
    rules = [rule for rule in ALL_RULES if rule.resource is not None]
    assert [item for rule in rules for item in violations(rule, [resource]) if stack == "production"] == []
    messages = [f"{rule.name}: {item}" for rule in rules for item in violations(rule, [wrong])]
    assert len(messages) == 1, messages
    assert re.match(message, messages[0]), messages


@pytest.mark.parametrize(
    ("properties", "key"),
    [({}, ""), ({"data": {"a": "Yg=="}}, "data"), ({"stringData": {"a": "b"}}, "stringData")],
)
def test_a_secret_of_the_program_has_no_content(properties: dict[str, Any], key: str) -> None:
    secret = CheckedResource("kubernetes:core/v1:Secret", "it", {"metadata": {"name": "a"}, **properties})
    messages = violations(RULES["no-plain-secrets"], [secret])
    assert len(messages) == bool(key)
    assert all(f"{key} must be empty" in message for message in messages)


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
def test_only_a_policy_for_all_pods_and_both_directions_closes_a_namespace(
    spec: dict[str, Any], *, closes: bool
) -> None:
    resources = [
        CheckedResource(NAMESPACE, "n", {"metadata": {"name": "a"}}),
        CheckedResource(IN_CLUSTER, "p", {"metadata": {"namespace": "a"}, "spec": spec}),
    ]
    assert (violations(RULES["namespace-default-deny"], resources) == []) is closes


@pytest.mark.parametrize(
    ("properties", "reported"),
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
def test_a_firewall_rule_without_a_source_allows_everyone(properties: dict[str, Any], *, reported: bool) -> None:
    rule = CheckedResource("gcp:compute/firewall:Firewall", "it", properties)
    assert bool(violations(RULES["firewall-closed"], [rule])) is reported


def proxied(**client: Any) -> dict[str, Any]:
    """A backend policy with the Identity-Aware Proxy."""
    return {"spec": {"default": {"iap": {"enabled": True, **client}}}}


@pytest.mark.parametrize(
    ("rule", "token", "properties", "expected"),
    [
        ("gateway-armored", BACKEND_POLICY, {"spec": {"default": {"iap": {"enabled": True}}}}, 0),
        ("gateway-armored", BACKEND_POLICY, {"spec": {"default": {"iap": {"enabled": False}}}}, 1),
        ("gateway-armored", BACKEND_POLICY, {"spec": {"default": {"securityPolicy": UNKNOWN}}}, 0),
        ("iap-client", BACKEND_POLICY, proxied(clientID="a", oauth2ClientSecret={"name": "iap-client"}), 0),
        ("iap-client", BACKEND_POLICY, proxied(), 0),
        ("iap-client", BACKEND_POLICY, proxied(clientID="a"), 1),
        ("iap-client", BACKEND_POLICY, proxied(oauth2ClientSecret={"name": "iap-client"}), 1),
        ("iap-client", BACKEND_POLICY, proxied(clientID=UNKNOWN, oauth2ClientSecret={"name": "a"}), 0),
        ("gateway-https", GATEWAY, {"spec": {"listeners": [{"protocol": "HTTP"}]}}, 0),
        ("gateway-https", GATEWAY, {"spec": {"listeners": [{"protocol": "HTTPS", **ALL_NAMESPACES}]}}, 0),
        ("gateway-https", GATEWAY, {"spec": {"listeners": UNKNOWN}}, 0),
        ("gateway-internal", GATEWAY, {"metadata": {"name": "internal", "namespace": "edge"}, "spec": {}}, 0),
        ("gateway-internal", GATEWAY, {"metadata": {"name": "internal", "namespace": "gateway"}, "spec": UNKNOWN}, 0),
        ("gateway-internal", GATEWAY, {"metadata": {"name": "internal", "namespace": "gateway"}, "spec": {}}, 1),
        ("gateway-tls", REGIONAL_TLS, {"profile": "MODERN", "minTlsVersion": "TLS_1_2"}, 0),
        ("gateway-tls", REGIONAL_TLS, {"profile": "COMPATIBLE", "minTlsVersion": "TLS_1_0"}, 2),
        ("route-https", ROUTE, {"spec": {"rules": [{"filters": [{"type": "RequestRedirect"}]}]}}, 0),
        ("armor-rate-limit", ARMOR, {"rules": UNKNOWN}, 0),
        ("armor-rate-limit", ARMOR, {"rules": []}, 1),
        ("dns-signed", "gcp:dns/managedZone:ManagedZone", {"visibility": "private"}, 0),
        ("dns-signed", "gcp:dns/managedZone:ManagedZone", {}, 1),
    ],
)
def test_the_way_in(rule: str, token: str, properties: dict[str, Any], expected: int) -> None:
    assert len(violations(RULES[rule], [CheckedResource(token, "it", properties)])) == expected


@pytest.mark.parametrize(
    ("parents", "expected"),
    [
        ([("internal", "gateway")], 0),
        ([("main", "gateway")], 1),
        ([("internal", "gateway"), ("main", "gateway")], 1),
        ([("internal", "shop")], 1),
        ([("internal", None)], 1),
        ([], 1),
    ],
)
def test_what_only_the_internal_gateway_reaches_needs_no_firewall(
    parents: list[tuple[str, str | None]], expected: int
) -> None:
    target = {"targetRef": {"kind": "Service", "name": "orders"}, "default": {"timeoutSec": 30}}
    about = {"namespace": "orders"}
    resources = [CheckedResource(BACKEND_POLICY, "orders", {"metadata": about, "spec": target})]
    resources += [route_to("orders", name, namespace, **about) for name, namespace in parents]
    assert len(violations(RULES["gateway-armored"], resources)) == expected
    elsewhere = [resources[0], *(route_to("orders", "internal", "gateway", namespace="bills") for _ in parents)]
    assert len(violations(RULES["gateway-armored"], elsewhere)) == 1
    others = [resources[0], *(route_to("bills", "internal", "gateway", **about) for _ in parents)]
    assert len(violations(RULES["gateway-armored"], others)) == 1


def route_to(service: str, gateway: str, of: str | None, *, namespace: str) -> CheckedResource:
    """A route from a Gateway to a Service."""
    parent = {"name": gateway, "sectionName": "https", **({"namespace": of} if of else {})}
    spec = {"parentRefs": [parent], "rules": [{"backendRefs": [{"name": service, "port": 80}]}]}
    return CheckedResource(ROUTE, "it", {"metadata": {"name": "it", "namespace": namespace}, "spec": spec})


def test_what_an_external_gateway_reaches_has_its_firewall(environments: dict[str, list[CheckedResource]]) -> None:
    rule = RULES["gateway-armored"]
    [backend] = [item for item in environments["production"] if item.type == BACKEND_POLICY]
    others = [item for item in environments["production"] if item is not backend]
    open_one = replace(backend, properties=changed(backend.properties, "spec.default.securityPolicy", None))
    [message] = violations(rule, [*others, open_one])
    assert "securityPolicy is missing" in message


def policy_of(service: Any, namespace: Any = "orders") -> CheckedResource:
    """A backend policy of a Service."""
    about = {"metadata": {"namespace": namespace}, "spec": {"targetRef": {"kind": "Service", "name": service}}}
    return CheckedResource(BACKEND_POLICY, "it", about)


@pytest.mark.parametrize(
    ("gateway", "policies", "expected"),
    [
        ("main", [policy_of("orders")], 0),
        ("main", [policy_of(UNKNOWN)], 0),
        ("main", [policy_of("orders", UNKNOWN)], 0),
        ("main", [], 1),
        ("main", [policy_of("orders-admin"), policy_of("orders", "bills")], 1),
        ("internal", [], 0),
    ],
)
def test_a_route_from_the_internet_leads_to_services_with_a_policy(
    gateway: str, policies: list[CheckedResource], expected: int
) -> None:
    route = route_to("orders", gateway, "gateway", namespace="orders")
    assert len(violations(RULES["route-armored"], [route, *policies])) == expected


def test_a_host_without_its_backend_policy_is_refused(environments: dict[str, list[CheckedResource]]) -> None:
    without = [item for item in environments["production"] if item.type != BACKEND_POLICY]
    [message] = violations(RULES["route-armored"], without)
    assert "Service orders has no GCPBackendPolicy" in message


def test_proxies_of_load_balancers_have_no_flow_logs() -> None:
    rule = RULES["subnet-logged"]
    assert violations(rule, [CheckedResource(SUBNETWORK, "it", {"purpose": "REGIONAL_MANAGED_PROXY"})]) == []
    assert len(violations(rule, [CheckedResource(SUBNETWORK, "it", {"purpose": "PRIVATE"})])) == 2


@pytest.mark.parametrize(
    ("member", "gateway", "expected"),
    [("group:a@b.com", True, 0), (None, True, 1), (None, False, 0), (UNKNOWN, True, 0), ("user:a@b.com", False, 1)],
)
def test_the_proxy_admits_groups_and_somebody(member: Any, expected: int, *, gateway: bool) -> None:
    proxied = {"spec": {"default": {"iap": {"enabled": True}}}}
    resources = [CheckedResource(BACKEND_POLICY, "orders", proxied)]
    resources += [CheckedResource(GATEWAY, "main", {})] if gateway else []
    role = {"role": "roles/iap.httpsResourceAccessor", "member": member}
    resources += [CheckedResource(MEMBER, "engineers", role)] if member is not None else []
    assert len(violations(RULES["iap-groups"], resources)) == expected


@pytest.mark.parametrize("name", RULES)
def test_the_real_environments_satisfy_it(name: str, environments: dict[str, list[CheckedResource]]) -> None:
    broken = {stack for stack, resources in environments.items() if violations(RULES[name], resources)}
    assert broken == {stack for stack, rule in ACCEPTED if rule == name}


def test_each_rule_checks_a_resource_except_rules_on_unused_types(
    environments: dict[str, list[CheckedResource]],
) -> None:
    types = {resource.type for resources in environments.values() for resource in resources}
    unused = {rule.name for rule in ALL_RULES if not any(rule.applies(token) for token in types)}
    assert unused == {"no-secret-values", "no-plain-secrets", "redis-valkey", "registry-not-gcr", "iam-no-keys"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [("on", 0), ("all", 0), ("receipt,authentication,authorization", 0), ("receipt", 1), ("off", 1), ("", 1)],
)
def test_every_value_that_logs_connections_is_accepted(value: str, expected: int) -> None:
    switches = ("cloudsql.iam_authentication", "cloudsql.enable_pgaudit", "log_disconnections")
    flags = [{"name": name, "value": "on"} for name in switches] + [{"name": "log_connections", "value": value}]
    instance = CheckedResource(SQL, "it", {"databaseVersion": "POSTGRES_18", "settings": {"databaseFlags": flags}})
    assert len(violations(RULES["database-audited"], [instance])) == expected


@pytest.mark.parametrize("version", ["MYSQL_8_0", "MYSQL_8_4"])
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"cloudsql_iam_authentication": "off"}, ["cloudsql_iam_authentication must be on"]),
        ({"local_infile": "on"}, ["local_infile must be off"]),
        ({"skip_show_database": "off"}, ["skip_show_database must be on"]),
    ],
)
def test_mysql_has_flags_of_its_own(version: str, changes: dict[str, str], expected: list[str]) -> None:
    flags = [{"name": name, "value": value} for name, value in {**CIS_MYSQL_FLAGS, **changes}.items()]
    instance = CheckedResource(SQL, "it", {"databaseVersion": version, "settings": {"databaseFlags": flags}})
    messages = violations(RULES["database-audited"], [instance])
    assert [message.rpartition(": ")[2] for message in messages] == expected


@pytest.mark.parametrize(("key", "expected"), [("binaryLogEnabled", 0), ("pointInTimeRecoveryEnabled", 1)])
def test_the_logs_of_mysql_are_binary_logs(key: str, expected: int) -> None:
    inputs = {"databaseVersion": "MYSQL_8_4", "settings": {"backupConfiguration": {"enabled": True, key: True}}}
    assert len(violations(RULES["database-backups"], [CheckedResource(SQL, "it", inputs)])) == expected


@pytest.mark.parametrize("mark", ["masterInstanceName", "includeReplicasForMajorVersionUpgrade"])
@pytest.mark.parametrize(("mode", "expected"), [("TRUSTED_CLIENT_CERTIFICATE_REQUIRED", 0), ("ENCRYPTED_ONLY", 1)])
def test_with_replicas_a_client_certificate_takes_the_place_of_the_connector(
    mark: str, mode: str, expected: int
) -> None:
    settings = {"connectorEnforcement": "NOT_REQUIRED", "ipConfiguration": {"sslMode": mode}}
    instance = CheckedResource(SQL, "it", {mark: "yes", "settings": settings})
    assert len(violations(RULES["database-encrypted-connections"], [instance])) == expected


def test_a_replica_holds_no_data_of_its_own_and_has_no_guard() -> None:
    guards = RULES["deletion-guards"]
    assert violations(guards, [CheckedResource(SQL, "it", {"masterInstanceName": "main"})]) == []
    assert len(violations(guards, [CheckedResource(SQL, "it", {})])) == 1


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("gcp:redis/instance:Instance", 1),
        ("gcp:redis/cluster:Cluster", 1),
        ("gcp:memcache/instance:Instance", 1),
        (REDIS_INSTANCE, 0),
    ],
)
def test_redis_is_valkey(token: str, expected: int) -> None:
    rule = RULES["redis-valkey"]
    assert len(violations(rule, [CheckedResource(token, "it", {})] if rule.applies(token) else [])) == expected


def test_an_ephemeral_environment_has_no_guard_of_the_provider() -> None:
    repository = CheckedResource(REPOSITORY, "it", {"deletionPolicy": "PREVENT"})
    messages = violations(RULES["deletion-guards"], [repository], StackContext("ephemeral"))
    assert messages == ["it: must not be protected in an ephemeral environment, which could not be destroyed"]
    redis = CheckedResource(REDIS_INSTANCE, "it", {"deletionProtectionEnabled": True})
    assert violations(RULES["deletion-guards"], [redis], StackContext("ephemeral")) == messages


@pytest.mark.parametrize(
    ("kind", "protect", "expected"),
    [("long-lived", True, 0), ("long-lived", False, 1), ("ephemeral", True, 1), ("ephemeral", False, 0)],
)
def test_resources_are_guarded_in_long_lived_environments_only(kind: str, *, protect: bool, expected: int) -> None:
    instance = CheckedResource(SQL, "it", {}, protect)
    assert len(violations(RULES["deletion-guards"], [instance], StackContext(kind))) == expected


def test_every_rule_names_its_source() -> None:
    assert [rule.name for rule in ALL_RULES if len(rule.source) < 10 or not rule.description.endswith(".")] == []


@pytest.mark.parametrize(
    ("rule", "severities", "token", "properties", "expected"),
    [
        ("production-budget", ["CRITICAL", "CRITICAL"], None, {}, 1),
        ("production-budget", ["CRITICAL"], BUDGET, {}, 0),
        ("production-budget", ["ERROR", "WARNING"], None, {}, 0),
        ("production-budget", [UNKNOWN], None, {}, 0),
        ("production-audit-logs", ["CRITICAL", "CRITICAL"], None, {}, 1),
        ("production-audit-logs", ["CRITICAL"], LOG_BUCKET, {"bucketId": "_Default"}, 1),
        ("production-audit-logs", ["CRITICAL"], LOG_BUCKET, {"bucketId": "audit"}, 0),
        ("production-audit-logs", ["CRITICAL"], LOG_BUCKET, {"bucketId": UNKNOWN}, 0),
        ("production-audit-logs", ["ERROR"], LOG_BUCKET, {"bucketId": "_Default"}, 0),
    ],
)
def test_what_pages_people_has_a_budget_and_audit_logs(
    rule: str, severities: list[Any], token: str | None, properties: dict[str, Any], expected: int
) -> None:
    resources = [CheckedResource(ALERT_POLICY, "alert", {"severity": severity}) for severity in severities]
    if token is not None:
        resources.append(CheckedResource(token, "it", properties))
    assert len(violations(RULES[rule], resources)) == expected


@pytest.mark.parametrize(("rule", "missing"), [("production-budget", BUDGET), ("production-audit-logs", LOG_BUCKET)])
def test_production_without_its_budget_or_audit_logs_is_broken(
    rule: str, missing: str, environments: dict[str, list[CheckedResource]]
) -> None:
    assert any(item.type == missing for item in environments["production"])
    without = [item for item in environments["production"] if item.type != missing]
    assert len(violations(RULES[rule], without)) == 1
    for stack in ("ci", "staging"):
        assert violations(RULES[rule], [item for item in environments[stack] if item.type != missing]) == []
