"""Every rule of the stack files: what it lets through, and what it says when it does not."""

from __future__ import annotations

import copy
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.changed import ephemeral

from components.encryption import AGENTS
from infra.config import STACKS, parse, read_all, read_file
from infra.environment_rules import check_together
from infra.errors import ConfigError
from infra.schema import texts
from infra.stack import StackConfig

STAGING: dict[str, Any] = json.loads(read_file(STACKS / "Pulumi.staging.yaml") or "")
STAGING["tenants"] = {
    "orders": {
        "owner": "team-orders",
        "accounts": ["orders"],
        "editors": ["team-orders@example.com"],
        "secrets": {"payment-gateway": {"readers": ["orders"]}},
    }
}
STAGING["databases"]["main"] |= {
    "databases": ["orders"],
    "users": {"orders": {"namespace": "orders", "service_account": "orders"}},
}
EPHEMERAL = {
    "kind": "ephemeral",
    "owner": "me",
    "created_at": "2027-01-28T18:00:00Z",
    "expires_at": "2027-01-31T18:00:00Z",
}
CI: dict[str, Any] = json.loads(read_file(STACKS / "Pulumi.ci.yaml") or "")


def changed(base: dict[str, Any], path: str, value: object) -> str:
    settings = copy.deepcopy(base)
    *folders, last = path.split(".")
    inner = settings
    for folder in folders:
        inner = inner.setdefault(folder, {})
    if value is None:
        inner.pop(last, None)
    else:
        inner[last] = value
    return json.dumps(settings)


def test_the_real_stack_files_are_right_alone_and_together() -> None:
    environments = read_all()
    assert {"ci", "production", "staging"} <= environments.keys()
    check_together(environments)


def test_an_ephemeral_environment_has_no_jenkins_for_its_secrets_stand_before_it() -> None:
    registry = {**CI["registry"], "deletion_protection": False}
    jenkins = {key: value for key, value in CI["jenkins"].items() if key != "gateway"}
    ephemeral = CI | {"environment": EPHEMERAL, "encryption": {"covers": []}, "registry": registry, "jenkins": jenkins}
    del ephemeral["gateway"], ephemeral["monitoring"]
    with pytest.raises(
        ConfigError, match=r"an ephemeral environment has no jenkins: its secrets stand before the project does"
    ):
        parse("ci", json.dumps(ephemeral))
    assert parse("ci", json.dumps({**ephemeral, "jenkins": None}))


def test_what_an_environment_expects_in_secret_manager() -> None:
    staging, ci = parse("staging", json.dumps(STAGING)), parse("ci", json.dumps(CI))
    (secret,) = staging.expected_secrets()
    assert (secret.name, secret.namespace, secret.accounts) == ("orders-payment-gateway", "orders", ("orders",))
    assert (secret.made_by, secret.value) == ("program", "text")
    assert {(secret.namespace, secret.made_by) for secret in ci.expected_secrets()} == {("jenkins", "bootstrap")}
    names = [secret.name for secret in ci.expected_secrets()]
    assert len(names) == len(set(names)) == 9


@pytest.mark.parametrize("nodes", [500, 501])
def test_encryption_between_nodes_has_a_limit_of_nodes(nodes: int) -> None:
    pool = {"machine_type": "n4-standard-4", "disk_type": "hyperdisk-balanced", "min_nodes": 1, "max_nodes": nodes}
    settings = changed(STAGING | {"node_pools": {"only": pool}}, "cluster.encrypt_between_nodes", value=True)
    if nodes <= 500:
        assert parse("staging", settings).cluster.encrypt_between_nodes
        return
    with pytest.raises(ConfigError, match=r"allows 500 nodes, and node_pools have up to 501; lower max_nodes"):
        parse("staging", settings)


def test_each_of_two_features_that_exclude_each_other_can_be_had_alone() -> None:
    for key in ("encrypt_between_nodes", "fqdn_network_policies"):
        assert parse("staging", changed(STAGING, f"cluster.{key}", value=True))
    gvisor = {"machine_type": "e2-standard-2", "min_nodes": 0, "max_nodes": 2, "gvisor": True}
    assert parse("staging", changed(STAGING, "node_pools.untrusted", gvisor))


def test_the_schema_for_editors_is_current() -> None:
    for path, text in texts().items():
        assert path.read_text() == text, "run `make schema`"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("clustr", {}, r"stacks/Pulumi\.staging\.yaml: atwork:stack\.clustr: unknown key; remove it"),
        ("network.pod", "10.0.0.0/16", r"network\.pod: unknown key; remove it, or write one of nodes, pods"),
        ("region", None, r"atwork:stack\.region: missing; add it, such as europe-west1$"),
        ("region", "europe-west1-b", r"region: .* is not valid; write a region, not a zone, such as europe-west1$"),
        ("region", "west", r"region: .* is not valid; write a region, not a zone, such as europe-west1$"),
        ("cluster.zone", "europe-west4-a", r"cluster\.zone europe-west4-a is not in region europe-west1"),
        ("cluster.release_channel", "FAST", r"release_channel: .FAST. is not possible; write one of RAPID"),
        (
            "cluster.deletion_protection",
            "true",
            r"deletion_protection: must be true or false, not the text .true.; remove the quotes: true",
        ),
        ("cluster.maintenance.hours", 3, r"hours: 3 is out of range; write 4 to 24"),
        ("cluster.maintenance", {"days": ["SU"], "hours": 4}, r"16 hours of windows in 32 days are fewer than the 48"),
        ("node_pools.services.min_nodes", 9, r"min_nodes 9 is above max_nodes 6"),
        (
            "node_pools.services.max_nodes",
            "6",
            r"max_nodes: must be an integer, not the text .6.; remove the quotes: 6",
        ),
        (
            "node_pools.services.machine_type",
            "E2 large",
            r"machine_type: .E2 large. is not valid; write a Compute Engine machine type",
        ),
        ("node_pools", {}, r"node_pools: is empty; write an entry with a name and a value"),
        ("network.nodes", "10.0.16.1/20", r"10\.0\.16\.1/20 has host bits set; write an address range"),
        ("network.nodes", "8.8.0.0/20", r"8\.8\.0\.0/20 is not a private IPv4 range"),
        ("network.pods", "10.0.16.0/22", r"nodes 10\.0\.16\.0/20 overlaps pods 10\.0\.16\.0/22"),
        ("network.pods", "10.65.0.0/24", r"pods 10\.65\.0\.0/24 is too small; it needs a /23"),
        ("network.nat", {"min_ports_per_vm": 100}, r"100 is not a power of two"),
        ("network.nat", {"min_ports_per_vm": 4096}, r"min_ports_per_vm 4096 must be below max_ports_per_vm 4096"),
        ("project.id", "Acme", r"project\.id: .Acme. is not valid; write 6 to 30 lower-case"),
        ("project.number", None, r"say either number \(project acme-at-work-staging exists already\) or create"),
        ("project.deletable", True, r"deletable needs create"),
        ("databases.main.tier", "db-perf-optimized-N-2", "does not belong to edition ENTERPRISE"),
        ("databases.main.edition", "ENTERPRISE_PLUS", r"does not belong to edition ENTERPRISE_PLUS"),
        ("databases.main.backups.point_in_time_days", 14, r"retained 7 is below point_in_time_days 14"),
        ("databases.main.disk_size_gb", 200, r"disk_size_gb 200 is above disk_limit_gb 100"),
        ("databases.main.flags", {"log_statement": "all"}, r"flags log_statement are set for every instance"),
        ("environment.kind", "ephemeral", r"an ephemeral environment needs expires_at"),
        ("environment.kind", "popup", r"environment\.kind: `popup` is now called ephemeral; write kind: ephemeral"),
        ("environment.expires_at", "2027-01-31T18:00:00Z", r"a long-lived environment has no end"),
        ("environment.services", ["orders"], r"services is for ephemeral environments"),
        ("environment.tier", "prod", r"environment\.tier: .prod. is not possible; write one of test, production"),
        ("environment", EPHEMERAL | {"tier": "test"}, r"tier is for long-lived environments"),
        ("environment", EPHEMERAL | {"created_at": None}, r"an ephemeral environment needs created_at"),
        (
            "environment",
            EPHEMERAL | {"expires_at": "2027-02-11T18:00:01Z"},
            r"at most 14 days after it; create a new ephemeral environment",
        ),
        ("environment", EPHEMERAL | {"expires_at": "2027-01-28T18:00:00Z"}, r"expires_at must be after created_at"),
        ("environment", EPHEMERAL | {"services": ["web", "web"]}, r"services: web is there twice"),
        ("environment", EPHEMERAL | {"services": []}, r"services: is empty; write a list"),
        (
            "node_pools.system",
            {"machine_type": "e2-small", "min_nodes": 1, "max_nodes": 2, "upgrade": "blue-green", "soak_seconds": 0},
            r"blue-green with soak_seconds 0 watches nothing",
        ),
        (
            "cluster",
            {"encrypt_between_nodes": True, "fqdn_network_policies": True},
            r"cluster: encrypt_between_nodes and fqdn_network_policies exclude each other in GKE; set one",
        ),
        (
            "node_pools.services",
            {"machine_type": "n4-standard-4", "min_nodes": 1, "max_nodes": 2},
            r"disk_type: machines of the series n4 have no pd-balanced; set disk_type to hyperdisk-balanced",
        ),
        ("node_pools.services.disk_type", "hyperdisk-balanced", r"the series e2 have no hyperdisk-balanced; set disk"),
        (
            "node_pools.services",
            {"machine_type": "e2-medium", "min_nodes": 1, "max_nodes": 2, "gvisor": True},
            r"gvisor: e2-medium cannot run it; choose a machine_type such as e2-standard-2",
        ),
        (
            "node_pools",
            {"only": {"machine_type": "e2-standard-4", "min_nodes": 1, "max_nodes": 2, "gvisor": True}},
            r"node_pools: all have gvisor or a taint, and GKE's own pods run on neither",
        ),
        ("cluster_backup", {"location": "europe-west4", "lock_days": 31}, r"lock_days 31 is above retain_days 30"),
        (
            "cluster_backup",
            {"location": "europe-west4", "retain_days": 7, "target_rpo_minutes": 20000},
            r"target_rpo_minutes 20000 is longer than retain_days 7",
        ),
        ("encryption", {"covers": ["everything"]}, r"covers\.0: .everything. is not possible; write one of cluster"),
        ("encryption", {"rotation_days": 365}, r"rotation_days: 365 is out of range; write 1 to 90"),
        (
            "binary_authorization",
            {"also_allowed": {"all": "*"}},
            r"also_allowed\.all: .\*. is not valid; write HOST/PATH",
        ),
        (
            "binary_authorization",
            {"attestation": "enforce", "enforced": False},
            r"attestation: enforce needs enforced: true; remove enforced, or write attestation: log",
        ),
        (
            "binary_authorization",
            {"attestation": False},
            r"attestation: false is not possible; write one of .off., log",
        ),
        ("release_signing", {}, r"release_signing needs jenkins\.deploys, whose promote job signs"),
        ("release_signing", {"version": "v1"}, r"version: .v1. is not valid; write the number of a key version"),
        ("release_signing", {"public_keys": {"1": "x"}}, r"public_keys\.1: is not a public key of the curve P-256"),
        ("tenants", {}, r"users\.orders: there is no tenants\.orders with the account orders/orders; add it"),
        ("tenants.orders.accounts", ["other"], r"readers: orders is not among accounts \(other\)"),
        (
            "databases.main.users.second",
            {"namespace": "orders", "service_account": "orders"},
            r"users\.second: orders/orders logs in as databases\.main\.users\.orders already",
        ),
        ("cluster.admin_group", None, r"tenants\.orders: groups have rights only with cluster\.admin_group"),
        ("registry", {"location": "europe"}, r"upstream and registry exclude each other"),
        ("jenkins", CI["jenkins"], r"jenkins needs registry in the same stack"),
    ],
)
def test_a_mistake_is_named_with_file_key_and_fix(path: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse("staging", changed(STAGING, path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("cluster.zone", "europe-west1-c"),
        ("cluster.maintenance", {"days": ["SA", "SU"], "hours": 6}),
        ("network.extra_pods", {"pods-2": "10.80.0.0/16"}),
        ("network.nat", {"static_addresses": 3, "min_ports_per_vm": 128, "max_ports_per_vm": 256}),
        ("node_pools.services.min_nodes", 6),
        ("node_pools.services.upgrade", "blue-green"),
        ("cluster_backup", {"location": "europe-west4", "retain_days": 31, "lock_days": 31}),
        ("encryption", {"covers": ["cluster"], "rotation_days": 30}),
        ("binary_authorization", {"also_allowed": {"tools": "gcr.io/acme/tools/**"}}),
        ("binary_authorization", {"attestation": "log", "enforced": False}),
        ("databases.main.flags", {"max_connections": "200"}),
        ("cluster.break_glass", {"cidrs": {"office": "192.0.2.0/24"}}),
    ],
)
def test_what_is_right_is_accepted(path: str, value: object) -> None:
    assert isinstance(parse("staging", changed(STAGING, path, value)), StackConfig)


@pytest.mark.parametrize(
    ("path", "wrong", "right"),
    [
        ("region", "regoin", "region"),
        ("node_pools.services.min_nodes", "minNodes", "min_nodes"),
        ("network.pods", "pod", "pods"),
        ("cluster.release_channel", "release-channel", "release_channel"),
    ],
)
def test_a_misspelled_key_is_one_mistake_with_the_key_that_was_meant(path: str, wrong: str, right: str) -> None:
    settings = json.loads(changed(STAGING, path, "x"))
    inner = settings
    *folders, last = path.split(".")
    for folder in folders:
        inner = inner[folder]
    inner[wrong] = inner.pop(last)
    with pytest.raises(ConfigError) as caught:
        parse("staging", json.dumps(settings))
    where = ".".join(["atwork:stack", *folders, wrong])
    assert str(caught.value) == f"stacks/Pulumi.staging.yaml: {where}: unknown key; did you mean {right}?"


def test_a_hint_never_names_a_key_that_is_there_or_the_same_key() -> None:
    jenkins = {**CI["jenkins"], "replicas": 2}
    with pytest.raises(ConfigError) as caught:
        parse("ci", json.dumps({**CI, "protect": True, "jenkins": jenkins}))
    assert "did you mean" not in str(caught.value)


def test_all_mistakes_of_a_file_are_reported_at_once() -> None:
    text = changed(json.loads(changed(STAGING, "regoin", "x")), "network.nodes", "1.2.3.4/20")
    with pytest.raises(ConfigError) as caught:
        parse("staging", text)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("project.id", "acme-at-work-ci", r"Pulumi\.staging\.yaml: atwork:stack\.project\.id: acme-at-work-ci is the"),
        ("network.nodes", "10.0.8.0/21", r"network\.nodes: 10\.0\.8\.0/21 overlaps nodes 10\.0\.0\.0/20 of ci"),
        ("network.pods", "10.66.128.0/17", r"10\.66\.128\.0/17 overlaps pods 10\.66\.0\.0/16 of production"),
        ("upstream", "cli", r"upstream: there is no stacks/Pulumi\.cli\.yaml; name one of ci"),
        ("upstream", "production", r"upstream: production has no registry"),
    ],
)
def test_environments_do_not_collide(path: str, value: object, message: str) -> None:
    environments = {**read_all(), "staging": parse("staging", changed(STAGING, path, value))}
    with pytest.raises(ConfigError, match=message):
        check_together(environments)


@pytest.mark.parametrize(
    ("stack", "path", "value", "message"),
    [
        (
            "staging",
            "preview_namespaces",
            None,
            r"ci\.yaml: .*jenkins\.deploys\.staging\.preview_namespaces: stacks/Pulumi\.staging\.yaml has no",
        ),
        (
            "ci",
            "jenkins.deploys.staging.preview_namespaces",
            None,
            r"staging\.yaml: .*preview_namespaces: nobody deploys to them; add jenkins\.dep",
        ),
        (
            "ci",
            "jenkins.deploys.staging",
            None,
            r"staging\.yaml: .*preview_namespaces: nobody deploys to them; add jenkins\.dep",
        ),
        (
            "ci",
            "jenkins.deploys.staging.account",
            "platform-deployer@acme-production.iam.gserviceaccount.com",
            r"deploys\.staging\.account: staging does not make .*; write platform-deployer@acme-at-work-staging\.iam",
        ),
        (
            "ci",
            "jenkins.deploys.staging.preview_namespaces.account",
            "previews@acme-at-work-staging.iam.gserviceaccount.com",
            r"staging\.preview_namespaces\.account: .*; write platform-preview-namespaces@acme-at-work-staging\.iam",
        ),
        (
            "ci",
            "jenkins.deploys.production.approvers",
            [],
            r"production\.approvers: is empty, and every build would be",
        ),
    ],
)
def test_ci_and_the_other_environments_say_the_same_of_deploys(
    stack: str, path: str, value: object, message: str
) -> None:
    base = {"ci": CI, "staging": STAGING}[stack]
    environments = {**read_all(), stack: parse(stack, changed(base, path, value))}
    with pytest.raises(ConfigError, match=message):
        check_together(environments)


def test_an_environment_is_production_unless_its_tier_is_test_whatever_its_name() -> None:
    environments = read_all()
    environments["staging"] = parse("staging", changed(STAGING, "environment.tier", None))
    with pytest.raises(ConfigError, match=r"deploys\.staging\.approvers: is empty.* or set environment\.tier: test in"):
        check_together(environments)


def test_a_production_that_goes_by_itself_need_not_ask() -> None:
    environments = read_all()
    created = datetime(2027, 1, 28, tzinfo=UTC)
    environments["production"] = ephemeral("production", created, created + timedelta(days=3))
    environments["ci"] = parse("ci", changed(CI, "jenkins.deploys.production.approvers", []))
    check_together(environments)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("upstream", None, "preview_namespaces needs upstream"),
        ("preview_namespaces.count", 0, r"preview_namespaces\.count"),
        (
            "tenants.preview-2",
            {"owner": "me", "accounts": ["a"]},
            r"tenants\.preview-2 has the name of a preview namespace",
        ),
    ],
)
def test_preview_namespaces_fit_into_their_environment(path: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse("staging", changed(STAGING, path, value))


@pytest.mark.parametrize("part", ["previews", "drift", "changes.staging"])
def test_accounts_that_reach_all_environments_are_not_in_the_project_of_ci(part: str) -> None:
    account = f"some-account@{CI['project']['id']}.iam.gserviceaccount.com"
    parse("ci", json.dumps(CI))
    with pytest.raises(
        ConfigError, match=rf"jenkins\.platform\.{part}\.account: {account} is in the project of this stack"
    ):
        parse("ci", changed(CI, f"jenkins.platform.{part}.account", account))


def test_updates_of_two_environments_share_no_account() -> None:
    staging = CI["jenkins"]["platform"]["changes"]["staging"]["account"]
    with pytest.raises(ConfigError, match=rf"production\.account: {staging} changes staging already; give each"):
        parse("ci", changed(CI, "jenkins.platform.changes.production.account", staging))
    with pytest.raises(
        ConfigError, match=r"platform\.changes: each environment has an account of its own now; write it"
    ):
        parse("ci", changed(CI, "jenkins.platform.changes", {"account": staging}))
    text = changed(CI, "jenkins.platform.changes.stagin", {})
    with pytest.raises(ConfigError, match=r"changes\.stagin: there is no stacks/Pulumi\.stagin\.yaml; name"):
        check_together({**read_all(), "ci": parse("ci", text)})


def test_groups_of_preview_namespaces_reach_the_cluster_and_need_a_cluster_that_knows_groups() -> None:
    assert "engineers@example.com" in parse("staging", json.dumps(STAGING)).groups()
    bare = {key: value for key, value in STAGING.items() if key != "tenants"}
    bare["databases"] = {"main": {**STAGING["databases"]["main"], "users": {}}}
    with pytest.raises(ConfigError, match=r"preview_namespaces\.groups have rights only with cluster\.admin_group"):
        parse("staging", changed(bare, "cluster.admin_group", None))


def backed_up(**changes: object) -> dict[str, Any]:
    """Staging with backups in another region and one volume for orders, but for some settings."""
    settings = copy.deepcopy(STAGING)
    settings["cluster_backup"] = {"location": changes.get("location", "europe-north1")}
    settings["tenants"]["orders"]["size"] = {"quota": {"volumes": changes.get("volumes", 1)}}
    settings["encryption"] = {"covers": changes.get("covers", ["disks", "backups"])}
    return settings


def test_backups_of_volumes_are_not_under_a_key_of_the_region_that_is_lost() -> None:
    fix = (
        r"tenants\.orders\.size\.quota\.volumes: .* set cluster_backup\.location to europe-west1, or leave disks out of"
    )
    with pytest.raises(ConfigError, match=fix):
        parse("staging", json.dumps(backed_up()))


@pytest.mark.parametrize("change", [{"location": "europe-west1"}, {"volumes": 0}, {"covers": ["backups"]}])
def test_other_backups_may_be_in_another_region(change: dict[str, object]) -> None:
    assert parse("staging", json.dumps(backed_up(**change))).cluster_backup is not None


@pytest.mark.parametrize(
    ("version", "value", "taken"),
    [
        ("POSTGRES_18", "receipt,authentication,authorization", True),
        ("POSTGRES_18", "Receipt, authentication, authorization, setup_durations", True),
        ("POSTGRES_18", "all", True),
        ("POSTGRES_18", "receipt", False),
        ("POSTGRES_18", "off", False),
        ("POSTGRES_17", "all", False),
    ],
)
def test_connections_are_logged_at_least_as_on_logs_them(version: str, value: str, *, taken: bool) -> None:
    settings = copy.deepcopy(STAGING)
    settings["databases"]["main"] |= {"version": version, "flags": {"log_connections": value}}
    if taken:
        assert parse("staging", json.dumps(settings)).databases["main"].flags == {"log_connections": value}
        return
    with pytest.raises(ConfigError, match=r"flags log_connections are set for every instance \(CIS\); remove them"):
        parse("staging", json.dumps(settings))


def test_keys_of_databases_and_secrets_do_not_come_and_go_with_the_services() -> None:
    bare = {key: value for key, value in STAGING.items() if key not in ("tenants", "databases")}
    assert (
        parse("staging", json.dumps(bare)).encrypted_places()
        == parse("staging", json.dumps(STAGING)).encrypted_places()
    )


@pytest.mark.parametrize("name", ["kube-system", "default", "gmp-system", "gke-managed-tomorrow"])
def test_a_tenant_has_no_namespace_of_the_clusters_own(name: str) -> None:
    with pytest.raises(ConfigError, match=f"tenants.{name}: the namespace belongs to Kubernetes or GKE"):
        parse("staging", changed(STAGING, f"tenants.{name}", {"owner": "team-orders", "accounts": ["orders"]}))


def test_an_ephemeral_environment_guards_no_registry() -> None:
    ephemeral = json.loads(
        changed(json.loads(changed(STAGING, "environment", EPHEMERAL)), "cluster.deletion_protection", False)
    )
    ephemeral["databases"]["main"]["deletion_protection"] = False
    for key in ("upstream", "preview_namespaces"):
        ephemeral.pop(key, None)
    ephemeral["registry"] = {"location": "europe"}
    with pytest.raises(
        ConfigError, match=r"an ephemeral environment must be destroyable; set registry\.deletion_protection to false"
    ):
        parse("demo", json.dumps(ephemeral))


@pytest.mark.parametrize(
    ("guards", "keys"),
    [
        ({"cluster": True, "main": False, "registry": False}, set(AGENTS)),
        ({"cluster": False, "main": True, "registry": True}, {"databases", "registry"}),
        ({"cluster": False, "main": False, "registry": False}, set()),
    ],
)
def test_keys_are_guarded_with_what_rests_under_them(guards: dict[str, bool], keys: set[str]) -> None:
    stack = json.loads(changed(STAGING, "cluster.deletion_protection", guards["cluster"]))
    for key in ("upstream", "preview_namespaces"):
        stack.pop(key, None)
    stack["databases"]["main"]["deletion_protection"] = guards["main"]
    stack["registry"] = {"location": "europe", "deletion_protection": guards["registry"]}
    assert parse("staging", json.dumps(stack)).protected_keys() == keys


def test_an_ephemeral_environment_can_always_be_destroyed() -> None:
    ephemeral = json.loads(changed(STAGING, "environment", EPHEMERAL))
    with pytest.raises(
        ConfigError, match=r"an ephemeral environment must be destroyable; set cluster\.deletion_protection to false"
    ):
        parse("demo", json.dumps(ephemeral))
    free = json.loads(changed(ephemeral, "cluster.deletion_protection", False))
    free["databases"]["main"]["deletion_protection"] = False
    with pytest.raises(ConfigError, match=r"an ephemeral environment has no gateway: .*leave gateway out"):
        parse("demo", json.dumps(free))
    del free["gateway"]
    with pytest.raises(
        ConfigError, match=r"an ephemeral environment must leave nothing: set encryption\.covers to \[\]"
    ):
        parse("demo", json.dumps(free))
    free |= {"encryption": {"covers": []}, "monitoring": None}
    free["cluster_backup"] = {"location": "europe-north1"}
    with pytest.raises(ConfigError, match=r"set cluster_backup\.lock_days to 0"):
        parse("demo", json.dumps(free))
    free["cluster_backup"]["lock_days"] = 0
    guarded = changed(free, "node_pools.services.deletion_protection", True)
    with pytest.raises(ConfigError, match=r"set node_pools\.services\.deletion_protection to false"):
        parse("demo", guarded)
    assert parse("demo", json.dumps(free)).labels("demo")["expires-at"] == "2027-01-31t18-00-00"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", r"stacks/Pulumi\.x\.yaml:\d+: not YAML"),
        ("config: {}", r"stacks/Pulumi\.x\.yaml: config\.atwork:stack is missing"),
        ("- 1", r"stacks/Pulumi\.x\.yaml: must be a map of keys to values"),
    ],
)
def test_a_broken_file_is_named(content: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "stacks" / "Pulumi.x.yaml"
    file.parent.mkdir()
    file.write_text(content)
    with pytest.raises(ConfigError, match=message):
        read_file(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Pulumi\.x\.yaml: file not found; copy an existing one"):
        read_file(tmp_path / "Pulumi.x.yaml")


@pytest.mark.parametrize(
    ("stack", "path", "new"),
    [
        (STAGING, "popups", "preview_namespaces"),
        (STAGING, "preview_namespaces.namespaces", "count"),
        (CI, "jenkins.deploys.staging.popups", "preview_namespaces"),
    ],
)
def test_a_renamed_key_names_the_new_key(stack: dict[str, Any], path: str, new: str) -> None:
    with pytest.raises(ConfigError, match=rf"atwork:stack\.{re.escape(path)}: it is now called {new}; rename it"):
        parse("demo", changed(stack, path, {}))


def test_an_entry_that_is_not_possible_does_not_make_its_list_too_short() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("staging", changed(STAGING, "cluster.maintenance.days", ["Monday"]))
    [line] = str(caught.value).splitlines()
    assert 'cluster.maintenance.days.0: "Monday" is not possible; write one of MO, TU' in line
