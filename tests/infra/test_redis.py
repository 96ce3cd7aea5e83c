"""Redis of services: what is created, who logs in, what pods are given, and the errors of invalid settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from support.mocks import Recording
from support.program import cloud, run_stack

from components.google.memorystore import node_type, region_mistake
from components.google.tables import table
from components.redis import LONGEST_NAME, RedisSettings
from components.type_tokens import PROJECT_MEMBER, REDIS_INSTANCE, SERVICE_ACCOUNT
from infra.catalog import read_all as read_services
from infra.config import STACKS, parse, read_all, read_file
from infra.errors import ConfigError
from infra.service_composition import complete

STAGING: dict[str, Any] = json.loads(read_file(STACKS / "Pulumi.staging.yaml") or "")
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SHOP = {"owner": "team-shop", "accounts": ["web", "worker"], "redis": {"size_gb": 3}}


def service(**more: Any) -> dict[str, Any]:
    return {
        "owner": "team-stock",
        "repository": "https://github.com/acme/stock",
        "channel": "#team-stock",
        "environments": {"staging": {}, "production": {}},
        **more,
    }


def catalog(folder: Path, settings: dict[str, Any], name: str = "stock") -> Path:
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(settings))
    return folder


@pytest.fixture(scope="module")
def shop() -> Recording:
    return run_stack("staging", {"tenants": {"shop": SHOP}})


def members(recording: Recording) -> dict[str, str]:
    """Members of the role that logs in, with the condition."""
    grants = [grant.inputs for grant in recording.of_type(PROJECT_MEMBER).values()]
    return {
        grant["member"]: grant["condition"]["expression"]
        for grant in grants
        if grant["role"] == "roles/memorystore.dbConnectionUser"
    }


def test_a_service_logs_in_with_the_account_of_its_database_to_its_own_instance(
    recordings: dict[str, Recording],
) -> None:
    production = recordings["production"]
    instance = production.resource(REDIS_INSTANCE, "redis-orders-instance")
    assert (instance.inputs["nodeType"], instance.inputs["replicaCount"]) == ("STANDARD_SMALL", 1)
    assert instance.inputs["authorizationMode"] == "IAM_AUTH"
    assert instance.inputs["transitEncryptionMode"] == "SERVER_AUTHENTICATION"
    assert any("network-redis" in urn for urn in instance.depends_on)
    place = "projects/acme-at-work-production/locations/europe-west1/instances/orders-redis"
    assert members(production) == {
        "serviceAccount:orders-sql@example.iam.gserviceaccount.com": f'resource.name == "{place}"'
    }
    facts = production.resource(CONFIG_MAP, "service-orders-facts").inputs["data"]
    assert {key: value for key, value in facts.items() if key.startswith("REDIS")} == {
        "REDIS_URL": "rediss://10.0.15.7:6379/0",
        "REDIS_CA": "certificate of the instance",
        "REDIS_AUTH": "iam",
    }


def test_an_environment_can_have_another_size_and_a_service_none(
    tmp_path: Path, recordings: dict[str, Recording]
) -> None:
    staging = recordings["staging"].resource(REDIS_INSTANCE, "redis-orders-instance").inputs
    assert (staging["nodeType"], staging["replicaCount"]) == ("CUSTOM_PICO", 0)
    only = service(environments={"staging": {"redis": {}}, "production": {}})
    services = read_services(catalog(tmp_path, only))
    stacks = read_all()
    assert complete("staging", stacks["staging"], services).tenants["stock"].redis == RedisSettings()
    assert complete("production", stacks["production"], services).tenants["stock"].redis is None


def test_accounts_without_a_database_share_a_google_account(shop: Recording) -> None:
    account = shop.resource(SERVICE_ACCOUNT, "redis-shop-account").inputs
    assert account["accountId"] == "shop-redis"
    [member] = [member for member in members(shop) if "shop" in member]
    assert member == "serviceAccount:shop-redis@example.iam.gserviceaccount.com"
    pods = shop.of_type("gcp:serviceaccount/iAMMember:IAMMember")
    subjects = [pods[f"redis-shop-{key}-impersonation"].inputs["member"] for key in ("web", "worker")]
    assert [subject.partition("[")[2] for subject in subjects] == ["shop/web]", "shop/worker]"]
    for key in ("web", "worker"):
        metadata = shop.resource("kubernetes:core/v1:ServiceAccount", f"tenant-shop-account-{key}").inputs["metadata"]
        assert metadata["annotations"]["iam.gke.io/gcp-service-account"].startswith("shop-redis@")
    assert shop.resource(CONFIG_MAP, "service-shop-facts").inputs["data"]["REDIS_AUTH"] == "iam"


def test_one_login_is_granted_once_however_many_accounts_have_it(shop: Recording) -> None:
    grants = [name for name in shop.of_type(PROJECT_MEMBER) if name.startswith("redis-shop")]
    assert grants == ["redis-shop-connect-redis"]


def test_only_pods_of_a_namespace_with_redis_reach_the_port(shop: Recording) -> None:
    settings = json.loads(json.dumps(STAGING | {"tenants": {"shop": SHOP}}))
    del settings["tenants"]["shop"]["redis"]
    without = run_stack("staging", {"tenants": settings["tenants"]})
    for recording, ports in ((shop, [443, 80, 988, 3307, 6379]), (without, [443, 80, 988, 3307])):
        egress = recording.resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", "tenant-shop-allow-out")
        rules = egress.inputs["spec"]["egress"]
        assert [port["port"] for rule in rules for port in rule.get("ports", ())] == ports


@pytest.mark.parametrize(
    "outputs",
    [
        {},
        {"endpoints": [], "managedServerCas": []},
        {"endpoints": [{}], "managedServerCas": [{}]},
        {"endpoints": [{"connections": [{}]}], "managedServerCas": [{"caCerts": [{}]}]},
        {"endpoints": [{"connections": [{"pscAutoConnection": {}}]}]},
        {"endpoints": [{"connections": [{"pscAutoConnection": {"connectionType": "CONNECTION_TYPE_PRIMARY"}}]}]},
    ],
)
def test_an_instance_that_reports_no_endpoint_does_not_stop_the_update(outputs: dict[str, Any]) -> None:
    def incomplete(token: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        return outputs if token == REDIS_INSTANCE else cloud(token, name, inputs)

    facts = run_stack("staging", outputs=incomplete).resource(CONFIG_MAP, "service-orders-facts").inputs["data"]
    assert (facts["REDIS_URL"], facts["REDIS_CA"]) == ("", "")


def test_the_smallest_node_that_holds_the_data_is_chosen() -> None:
    sizes = {size: node_type(size) for size in (1, 2, 3, 4, 5, 6, 10, 11, 20, 21, 46, 47, 88)}
    assert sizes == {
        1: "CUSTOM_PICO",
        2: "CUSTOM_MICRO",
        3: "CUSTOM_MINI",
        4: "STANDARD_SMALL",
        5: "STANDARD_SMALL",
        6: "HIGHMEM_MEDIUM",
        10: "HIGHMEM_MEDIUM",
        11: "STANDARD_LARGE",
        20: "STANDARD_LARGE",
        21: "HIGHMEM_XLARGE",
        46: "HIGHMEM_XLARGE",
        47: "HIGHMEM_2XLARGE",
        88: "HIGHMEM_2XLARGE",
    }
    with pytest.raises(ValueError, match="size_gb: the largest node holds 88 GB; write at most that"):
        node_type(89)


def test_the_largest_size_of_the_settings_is_that_of_the_largest_node() -> None:
    largest = max(table("memorystore")["nodes"].values())
    assert node_type(RedisSettings(size_gb=largest).size_gb)
    with pytest.raises(ValidationError, match="less than or equal to 88"):
        RedisSettings(size_gb=largest + 1)


def test_every_region_with_valkey_is_a_region_of_google() -> None:
    assert set(table("memorystore")["regions"]) <= table("locations")["regions"].keys()
    assert region_mistake("europe-west1") == ""
    assert region_mistake("europe-north3") == (
        "there is no Memorystore for Valkey in europe-north3 (components/google/data/memorystore.yaml lists its regions); "
        "choose one such as europe-north1 or europe-north2"
    )
    assert region_mistake("us-west8").endswith("choose one such as us-west1 or us-west2")
    assert region_mistake("europe-northeast1").endswith("choose one such as europe-central2 or europe-north1")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size_gb": 0}, r"services/stock\.yaml: redis\.size_gb: "),
        ({"size_gb": "1"}, r"services/stock\.yaml: redis\.size_gb: "),
        ({"replicas": 6}, r"services/stock\.yaml: redis\.replicas: "),
        ({"version": "REDIS_7_2"}, r"redis\.version: .*VALKEY_9_0"),
        ({"tier": "basic"}, r"redis\.tier: unknown key; remove it"),
    ],
)
def test_an_invalid_setting_names_file_and_key(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        read_services(catalog(tmp_path, service(redis=settings)))


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"redis": {}}, "redis"),
        ({"environments": {"north": {"redis": {}}}}, r"environments\.north\.redis"),
    ],
)
def test_redis_in_a_region_without_valkey_is_refused(settings: dict[str, Any], key: str, tmp_path: Path) -> None:
    settings = {"environments": {"north": {}}, **settings}
    services = read_services(catalog(tmp_path, service(**settings)))
    north = parse("north", json.dumps(STAGING | {"region": "europe-north3"}))
    with pytest.raises(ConfigError, match=rf"^services/stock\.yaml: {key}: there is no .* in europe-north3 .*; choose"):
        complete("north", north, services)
    with pytest.raises(
        ConfigError, match=r"tenants\.shop\.redis: there is no Memorystore for Valkey in europe-north3 "
    ):
        parse("north", json.dumps(STAGING | {"region": "europe-north3", "tenants": {"shop": SHOP}}))


def test_a_name_that_is_too_long_for_the_account_is_refused(tmp_path: Path) -> None:
    longest, longer = "s" * LONGEST_NAME, "s" * (LONGEST_NAME + 1)
    assert read_services(catalog(tmp_path, service(redis={}), longest)).keys() == {longest}
    with pytest.raises(ConfigError, match=rf"redis: the account .* is called {longer}-redis, .* \({longer} has 25\)"):
        read_services(catalog(tmp_path, service(redis={}), longer))
    parse("staging", json.dumps(STAGING | {"tenants": {longest: SHOP}}))
    with pytest.raises(ConfigError, match=rf"tenants\.{longer}\.redis: .* choose a name of at most 24"):
        parse("staging", json.dumps(STAGING | {"tenants": {longer: SHOP}}))


def test_more_instances_than_the_subnet_has_endpoints_for_are_refused() -> None:
    network = STAGING["network"] | {"redis_endpoints": 3}
    few, many = (dict.fromkeys(names, SHOP) for names in (["a"], ["a", "b"]))
    parse("staging", json.dumps(STAGING | {"network": network, "tenants": few}))
    with pytest.raises(ConfigError, match=r"network\.redis_endpoints: 3 are too few for 2 Redis instances .* to 4"):
        parse("staging", json.dumps(STAGING | {"network": network, "tenants": many}))
