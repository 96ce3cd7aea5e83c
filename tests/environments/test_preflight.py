"""What Google is asked before an environment is created."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from support import bootstrapping, checkout
from support.bootstrapping import RING, Account
from support.google import error
from support.mocks import Recording

from atwork.environments.bootstrap.google import Google
from atwork.environments.bootstrap.google_errors import GoogleError
from atwork.environments.preflight import limits, secrets
from atwork.environments.preflight.check import Check
from atwork.environments.preflight.region import needed_cpus, needed_space
from atwork.environments.preflight.run import NAMES, preflight
from infra import company, needs
from infra.catalog import read_all as services_in
from infra.config import parse, read_all, read_file
from infra.service_composition import complete

CI = "acme-at-work-ci"


def region(account: Account, limit: float = 200, usage: float = 8, *zones: str) -> None:
    """A region with e2 machines in its zones."""
    zones = zones or ("b", "c", "d")
    account.fake.state.regions["europe-west1"] = {
        "quotas": [
            {"metric": "CPUS", "limit": limit, "usage": usage},
            {"metric": "SSD_TOTAL_GB", "limit": 2000, "usage": 100},
            {"metric": "STATIC_ADDRESSES", "limit": 8, "usage": 0},
        ],
        "zones": [f"https://compute/zones/europe-west1-{name}" for name in ("b", "c", "d")],
    }
    for zone in zones:
        kinds = {"e2-standard-2": 2, "e2-standard-4": 4}
        account.fake.state.machines[f"europe-west1-{zone}"] = kinds


def asked(account: Account, *, bootstrapped: bool = False, **more: Any) -> dict[str, Check]:
    """The checks of staging by name."""
    stacks = account.checkout / "stacks"
    checks = preflight(
        "staging",
        read_all(stacks)["staging"],
        company.read(stacks),
        sibling=CI,
        bootstrapped=bootstrapped,
        login=lambda: bootstrapping.google(account.endpoint),
        **more,
    )
    return {check.name: check for check in checks}


def test_all_is_well_before_the_first_bootstrap(account: Account) -> None:
    region(account)
    checks = asked(account)
    assert list(checks) == ["login", *NAMES]
    results = {name: (check.ok, check.detail) for name, check in checks.items()}
    assert results == {
        "login": (True, "a test"),
        "billing": (True, "01AB23-CD45EF-678901 is open"),
        "project": (True, "acme-at-work-staging is free, unless a project that you may not see has it"),
        "state bucket": (None, "acme-at-work-admin-state does not exist yet; bootstrap creates it"),
        "KMS key": (None, "staging does not exist yet; bootstrap creates it"),
        "domain restriction": (True, "roles may be granted to any principal"),
        "groups": (True, "2 exist"),
        "secrets": (True, "no secret is needed before the first update"),
        "service secrets": (True, "no service has a secret"),
        "machine types": (True, "e2-standard-2, e2-standard-4 in europe-west1-b, europe-west1-c, europe-west1-d"),
        "CPU quota": (True, f"CPUS europe-west1: need 64, limit 200, as in {CI}; a new project may start with less"),
        "disk and address quotas": (
            True,
            f"SSD_TOTAL_GB europe-west1: need 900, limit 2000, as in {CI}; a new project may start with less",
        ),
        "service accounts": (None, "not checked: the project does not exist yet"),
        "principals": (None, "not checked: the project does not exist yet"),
        "network quotas": (None, "not checked: the project does not exist yet"),
        "catalog limits": (True, "the services fit the limits of the cluster and of the databases"),
        "database flags": (True, "accepted by POSTGRES_18"),
    }
    assert account.fake.changes == []


def test_all_is_well_after_it(account: Account) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    region(account)
    changes = len(account.fake.changes)
    checks = asked(account, bootstrapped=True)
    assert [check.name for check in checks.values() if not check.ok] == []
    assert checks["CPU quota"].detail == "CPUS europe-west1: need 64, free 192"
    assert checks["state bucket"].detail == "acme-at-work-admin-state, versioned"
    assert len(account.fake.changes) == changes


def test_what_is_missing_after_it_is_in_the_way(account: Account) -> None:
    region(account)
    bad = {name: check.fix for name, check in asked(account, bootstrapped=True).items() if check.bad}
    assert bad["state bucket"] == bad["KMS key"] == "atwork environment bootstrap staging"
    assert "roles/viewer on acme-at-work-staging" in bad["project"]


def test_every_secret_has_an_enabled_version_before_the_first_update(account: Account) -> None:
    project, google = CI, bootstrapping.google(account.endpoint)
    config = read_all(account.checkout / "stacks")["ci"]

    def check_secrets() -> Check:
        check, _ = secrets.checks(google, "ci", config, bootstrapped=True)
        return check

    assert (
        "run `gcloud services enable secretmanager.googleapis.com --project acme-at-work-ci`" in check_secrets().detail
    )
    account.fake.state.services[project] = {"secretmanager.googleapis.com"}
    nothing = check_secrets()
    assert (nothing.bad, nothing.fix) == (True, "atwork environment bootstrap ci")
    assert "jenkins-admin-password does not exist" in nothing.detail
    there = account.fake.state.secrets
    for secret in config.expected_secrets():
        version = {"state": "ENABLED", "data": ""}
        there[secret.resource(project)] = {"replication": {"automatic": {}}, "versions": [version]}
    assert (check_secrets().ok, check_secrets().detail) == (True, f"{len(there)} have an enabled version")
    token = there[f"projects/{project}/secrets/jenkins-slack-token"]["versions"]
    token[0]["state"] = "DISABLED"
    assert check_secrets().detail == "jenkins-slack-token has version 1 as its latest, which is disabled"
    token.clear()
    assert check_secrets().detail == "jenkins-slack-token has no value yet"
    assert check_secrets().fix == f"gcloud secrets versions add jenkins-slack-token --project={project} --data-file=-"
    account.fake.fail("GET", "/secrets/", error(403, "Permission denied"))
    assert "ask for roles/secretmanager.viewer on acme-at-work-ci" in check_secrets().detail + check_secrets().fix


def test_secrets_of_services_are_made_empty_and_wait_for_a_value(account: Account) -> None:
    google, stacks = bootstrapping.google(account.endpoint), read_all(account.checkout / "stacks")
    config = complete("staging", stacks["staging"], services_in(account.checkout / "services"))
    project = config.project.id
    account.fake.state.services[project] = {"secretmanager.googleapis.com"}

    def check_secrets() -> Check:
        _, check = secrets.checks(google, "staging", config, bootstrapped=True)
        return check

    assert (check_secrets().ok, check_secrets().detail) == (None, "the next update creates 1, empty")
    secret: dict[str, Any] = {"replication": {"automatic": {}}, "versions": []}
    account.fake.state.secrets[f"projects/{project}/secrets/orders-payment-gateway"] = secret
    assert (check_secrets().ok, check_secrets().bad) == (False, False)
    assert check_secrets().detail == "orders-payment-gateway has no value yet; their pods do not start"
    assert (
        check_secrets().fix == f"gcloud secrets versions add orders-payment-gateway --project={project} --data-file=-"
    )
    secret["versions"].append({"state": "ENABLED"})
    assert (check_secrets().ok, check_secrets().detail) == (True, "1 have an enabled version")


def test_secrets_before_bootstrap_and_where_none_is_needed(account: Account) -> None:
    stacks, google = read_all(account.checkout / "stacks"), bootstrapping.google(account.endpoint)
    early, _ = secrets.checks(google, "ci", stacks["ci"], bootstrapped=False)
    assert (early.ok, early.detail) == (None, "bootstrap creates 9")
    none, no_service = secrets.checks(google, "staging", stacks["staging"], bootstrapped=True)
    assert (no_service.ok, no_service.detail) == (True, "no service has a secret")
    assert none.ok
    assert account.fake.requests == []


def test_a_quota_that_is_too_small(account: Account) -> None:
    region(account, 72, 16)
    bootstrapping.run(account.checkout, account.endpoint)
    check = asked(account, bootstrapped=True)["CPU quota"]
    assert (check.ok, check.detail) == (False, "CPUS europe-west1: need 64, free 56")
    assert "https://console.cloud.google.com/iam-admin/quotas?project=acme-at-work-staging" in check.fix


def test_machines_that_a_zone_does_not_offer(account: Account) -> None:
    region(account, 200, 0, "b", "c")
    check = asked(account)["machine types"]
    assert not check.ok
    assert "e2-standard-2 is in 2 of europe-west1-b, europe-west1-c, europe-west1-d" in check.detail
    assert check.fix == "choose another machine_type, zone or region"


def test_a_region_that_is_none(account: Account) -> None:
    checks = asked(account)
    assert (checks["machine types"].ok, checks["CPU quota"].ok) == (False, None)
    assert "'regions/europe-west1' was not found" in checks["machine types"].detail


def test_an_id_that_is_taken_and_an_account_that_is_closed(account: Account) -> None:
    region(account)
    account.fake.state.accounts["01AB23-CD45EF-678901"] = False
    account.fake.state.projects["acme-at-work-staging"] = {"name": "projects/7", "projectId": "x", "state": "ACTIVE"}
    checks = asked(account)
    assert checks["billing"].detail == "01AB23-CD45EF-678901 is closed"
    assert "already exists, with number 7" in checks["project"].detail
    assert "never free again" in checks["project"].fix


def test_a_bucket_that_keeps_no_versions_and_a_key_that_is_disabled(account: Account) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    region(account)
    account.fake.state.buckets["acme-at-work-admin-state"]["versioning"] = {"enabled": False}
    account.fake.state.keys[f"{RING}/cryptoKeys/staging"]["primary"]["state"] = "DISABLED"
    checks = asked(account, bootstrapped=True)
    assert checks["state bucket"].detail == "acme-at-work-admin-state: versioning is off"
    assert checks["KMS key"].detail == "staging has a primary version that is disabled"
    assert "gcloud kms keys versions enable" in checks["KMS key"].fix


def test_what_may_not_be_seen_is_reported_with_the_role(account: Account) -> None:
    account.fake.fail("GET", "/regions/", error(403, "Required 'compute.regions.get' permission"))
    check = asked(account)["machine types"]
    assert check.ok is False
    assert f"ask for roles/compute.viewer on {CI}" in check.fix


def test_without_a_login_nothing_is_looked_at(account: Account) -> None:
    def nobody() -> Google:
        raise GoogleError("no login: there are no credentials; run `gcloud auth application-default login`")

    stacks = account.checkout / "stacks"
    checks = preflight("staging", read_all(stacks)["staging"], company.read(stacks), login=nobody)
    assert [(check.name, check.ok) for check in checks] == [(name, None) for name in ("login", *NAMES)]
    assert checks[0].fix == "run `gcloud auth application-default login`"
    assert {check.detail for check in checks[1:]} == {"not checked: no login"}


def test_without_platform_settings_state_and_key_are_not_looked_at(account: Account) -> None:
    region(account)
    config = read_all(account.checkout / "stacks")["staging"]
    google = bootstrapping.google(account.endpoint)
    checks = {check.name: check for check in preflight("staging", config, None, sibling=CI, login=lambda: google)}
    assert (checks["state bucket"].ok, checks["KMS key"].ok, checks["billing"].ok) == (None, None, True)


def test_a_restriction_to_a_customer_warns_unless_the_organization_is_in_it(account: Account) -> None:
    region(account)
    rules = [{"values": {"allowedValues": ["is:C03xgje4y"]}}]
    account.fake.state.constraints["iam.allowedPolicyMemberDomains"] = rules
    check = asked(account)["domain restriction"]
    assert (check.ok, check.bad) == (False, False)
    assert check.detail == "roles are granted only to is:C03xgje4y"
    assert "principalSet://iam.googleapis.com/organizations/482915370164" in check.fix
    rules[0]["values"]["allowedValues"].append("is:principalSet://iam.googleapis.com/organizations/482915370164")
    assert asked(account)["domain restriction"].ok


@pytest.mark.parametrize(
    ("rule", "ok"),
    [
        (
            {
                "enforce": True,
                "parameters": {
                    "allowedPrincipalSets": ["//cloudresourcemanager.googleapis.com/organizations/482915370164"]
                },
            },
            True,
        ),
        ({"enforce": True, "parameters": {"allowedMemberSubjects": ["user:ada@example.com"]}}, False),
        ({"enforce": False, "parameters": {"allowedMemberSubjects": ["user:ada@example.com"]}}, True),
        ({"denyAll": True}, False),
        ({"allowAll": True}, True),
    ],
)
def test_the_managed_constraint_is_read_as_well(rule: dict[str, Any], account: Account, *, ok: bool) -> None:
    account.fake.state.constraints["iam.managed.allowedPolicyMembers"] = [rule]
    assert asked(account)["domain restriction"].ok is ok


def test_a_group_that_is_not_there_and_one_that_may_not_be_seen(account: Account) -> None:
    account.fake.state.groups.discard("engineers@example.com")
    missing = asked(account)["groups"]
    assert (missing.ok, missing.detail) == (False, "not found: engineers@example.com")
    account.fake.state.hidden_groups.add("engineers@example.com")
    hidden = asked(account)["groups"]
    assert (hidden.ok, hidden.detail) == (None, "not found, or you may not see them: engineers@example.com")
    account.fake.fail(
        "GET", "/v1/groups", error(403, "API off", reason="SERVICE_DISABLED", service="cloudidentity.googleapis.com")
    )
    off = asked(account)["groups"]
    assert (off.ok, off.bad) == (False, False)
    assert "cloudidentity.googleapis.com is off" in off.detail


def test_a_flag_that_cloud_sql_does_not_take(account: Account) -> None:
    account.fake.state.flags["log_connections"] = {
        "name": "log_connections",
        "type": "STRING",
        "allowedStringValues": ["all"],
    }
    del account.fake.state.flags["log_temp_files"]
    check = asked(account)["database flags"]
    assert check.bad
    assert "databases.main: log_connections accepts all, not on, with POSTGRES_18" in check.detail
    assert "databases.main: log_temp_files is not offered with POSTGRES_18" in check.detail


def test_service_accounts_of_a_project_are_counted_with_those_that_the_environment_makes(account: Account) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    region(account)
    before = asked(account, bootstrapped=True)["service accounts"]
    assert before.ok
    domain = "@acme-at-work-staging.iam.gserviceaccount.com"
    account.fake.state.identities |= {f"a-{number}{domain}": {} for number in range(100)}
    account.fake.state.identities[f"atwork-staging-nodes{domain}"] = {}
    check = asked(account, bootstrapped=True)["service accounts"]
    assert (check.ok, check.bad) == (False, False)
    assert check.detail == "101 in acme-at-work-staging, 104 with all of the environment's; 100 by default"


def test_principals_of_a_policy_are_counted_as_often_as_they_are_named(account: Account) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    region(account)
    members = [f"user:a{number}@example.com" for number in range(750)]
    account.fake.state.policies["projects/acme-at-work-staging"] = [
        {"role": role, "members": members} for role in ("roles/viewer", "roles/browser")
    ]
    check = asked(account, bootstrapped=True)["principals"]
    assert check.bad
    assert check.detail.startswith("1500 in the policy of acme-at-work-staging, at most ")


def test_grants_that_the_policy_has_already_are_counted_once(account: Account) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    region(account)
    project = "projects/acme-at-work-staging"
    there = needs.grants("staging", read_all(account.checkout / "stacks")["staging"])
    account.fake.state.policies[project] = [{"role": role, "members": [member]} for role, member in sorted(there)]
    check = asked(account, bootstrapped=True)["principals"]
    assert (check.ok, len(there)) == (True, 7)
    assert check.detail == "7 in the policy of acme-at-work-staging, at most 0 more; 1500 is Google's limit"


def test_the_proxies_of_an_internal_gateway_are_one_more_subnet(account: Account) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    region(account)
    account.fake.state.quotas = {"SUBNETWORKS": (10, 9)}
    assert asked(account, bootstrapped=True)["network quotas"].ok
    file = account.checkout / "stacks" / "Pulumi.staging.yaml"
    file.write_text(file.read_text().replace("    network:\n", "    network:\n      proxies: 10.32.0.0/24\n"))
    assert asked(account, bootstrapped=True)["network quotas"].ok is False


def test_quotas_of_networks_are_those_of_the_project(account: Account) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    region(account)
    account.fake.state.quotas = {"NETWORKS": (5, 4), "FIREWALLS": (100, 99), "ROUTES": (250, 250), "IMAGES": (1, 9)}
    check = asked(account, bootstrapped=True)["network quotas"]
    assert check.ok
    assert check.detail == "NETWORKS: 4 of 5 used, FIREWALLS: 99 of 100 used, ROUTES: 250 of 250 used"
    account.fake.state.quotas["FIREWALLS"] = (100, 100)
    check = asked(account, bootstrapped=True)["network quotas"]
    assert (check.ok, check.bad) == (False, False)
    assert check.fix.startswith("ask for more FIREWALLS at https://console.cloud.google.com/iam-admin/quotas?project=")
    account.fake.fail("GET", "/compute/v1/projects/acme-at-work-staging$", error(403, "Permission denied"))
    check = asked(account, bootstrapped=True)["network quotas"]
    assert (check.ok, check.bad) == (False, False)
    assert "roles/compute.viewer on acme-at-work-staging" in check.fix


def test_settings_that_exceed_a_limit_are_a_warning(account: Account) -> None:
    stacks = read_all(account.checkout / "stacks")
    stack = json.loads(read_file(account.checkout / "stacks" / "Pulumi.staging.yaml"))
    stack["databases"]["main"]["flags"] = {"max_connections": "40"}
    config = complete("staging", parse("staging", json.dumps(stack)), services_in(account.checkout / "services"))
    google = bootstrapping.google(account.endpoint)
    *_, check = limits.checks(google, "staging", config, there=False)
    assert (check.name, check.ok, check.bad) == ("catalog limits", False, False)
    assert check.detail == (
        "up to 50 connections to databases.main, one for each pod of a service with a login, and the limit is 40"
    )
    *_, check = limits.checks(google, "staging", stacks["staging"], there=False)
    assert check.ok


@pytest.mark.parametrize("stack", ["ci", "staging", "production"])
def test_the_service_accounts_that_are_counted_are_those_of_the_program(
    stack: str, recordings: dict[str, Recording]
) -> None:
    service_accounts = recordings[stack].of_type("gcp:serviceaccount/account:Account").values()
    folder = checkout.ROOT / "stacks"
    config = complete(stack, read_all(folder)[stack], services_in(folder.parent / "services"))
    assert needs.service_accounts(stack, config) == {account.inputs["accountId"] for account in service_accounts}


@pytest.mark.parametrize("stack", ["ci", "staging", "production"])
def test_the_grants_that_are_counted_are_those_of_the_program(stack: str, recordings: dict[str, Recording]) -> None:
    members = recordings[stack].of_type("gcp:projects/iAMMember:IAMMember").values()
    folder = checkout.ROOT / "stacks"
    config = complete(stack, read_all(folder)[stack], services_in(folder.parent / "services"))
    project = config.project.id
    declared = {
        (
            member.inputs["role"].replace("projects/example/", f"projects/{project}/"),
            member.inputs["member"].replace("@example.iam.", f"@{project}.iam."),
        )
        for member in members
        if member.inputs["project"] == project
    }
    assert needs.grants(stack, config) == declared


def test_disks_count_by_their_type_and_addresses_by_their_number() -> None:
    stack = json.loads(read_file(checkout.ROOT / "stacks" / "Pulumi.staging.yaml") or "")
    stack["network"]["nat"] = {"static_addresses": 2}
    pool = {"machine_type": "e2-standard-2", "min_nodes": 0, "max_nodes": 2, "disk_size_gb": 50}
    kinds = ("pd-balanced", "pd-ssd", "pd-standard")
    stack["node_pools"] = {kind: {**pool, "disk_type": kind} for kind in kinds}
    expected = {"SSD_TOTAL_GB": 200, "DISKS_TOTAL_GB": 100, "STATIC_ADDRESSES": 2}
    assert needed_space(parse("staging", json.dumps(stack))) == expected


@pytest.mark.parametrize(
    ("pools", "limit", "needed"),
    [
        ({"system": ("e2-standard-2", 3), "services": ("e2-standard-4", 6)}, None, {"CPUS": 30}),
        ({"system": ("e2-standard-2", 3), "fast": ("n2-standard-8", 2)}, None, {"CPUS": 6, "N2_CPUS": 16}),
        ({"system": ("e2-standard-2", 3)}, 64, {"CPUS": 64}),
        ({"system": ("e2-standard-4", 30)}, 64, {"CPUS": 120}),
    ],
)
def test_vcpus_count_in_the_quota_of_their_family(
    pools: dict[str, tuple[str, int]], limit: int | None, needed: dict[str, int]
) -> None:
    stack = json.loads(read_file(checkout.ROOT / "stacks" / "Pulumi.staging.yaml") or "")
    stack["node_pools"] = {
        name: {"machine_type": kind, "min_nodes": 0, "max_nodes": most} for name, (kind, most) in pools.items()
    }
    stack["cluster"].pop("autoprovisioning")
    if limit is not None:
        stack["cluster"]["autoprovisioning"] = {"max_cpu": limit, "max_memory_gb": 256}
    config = parse("staging", json.dumps(stack))
    cpus = {"e2-standard-2": 2, "e2-standard-4": 4, "n2-standard-8": 8}
    assert needed_cpus(config, cpus, {"CPUS", "N2_CPUS"}) == needed


def test_a_check_is_in_the_way_only_where_it_is_needed() -> None:
    check = Check("x", ok=False, detail="")
    assert check.bad
    assert not dataclasses.replace(check, needed=False).bad
    assert not dataclasses.replace(check, ok=None).bad
