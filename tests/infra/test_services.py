"""The catalog: what a service file creates in each environment, and the errors of invalid files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.changed import changed
from support.mocks import Recording

from infra.catalog import read_all as read_services
from infra.config import STACKS, check_services, parse, read_all, read_file
from infra.environment_settings import EnvironmentSettings
from infra.errors import ConfigError
from infra.service_composition import complete
from infra.services import ServiceSettings, is_name, within
from infra.stack import StackConfig

ORDERS: dict[str, Any] = yaml.safe_load((STACKS.parent / "services" / "orders.yaml").read_text())


def write_catalog(folder: Path, **services: dict[str, Any]) -> Path:
    for name, service in services.items():
        (folder / f"{name.replace('_', '-')}.yaml").write_text(yaml.safe_dump(service))
    return folder


def other(**changes: Any) -> dict[str, Any]:
    """A second valid service."""
    return {
        "owner": "team-stock",
        "repository": "https://github.com/acme/stock",
        "channel": "#team-stock",
        "environments": {"staging": {}},
        **changes,
    }


def test_the_catalog_of_the_project_is_valid() -> None:
    services = read_services(STACKS.parent / "services")
    check_services(read_all(), services)
    assert "orders" in services


def test_a_service_file_becomes_settings_of_the_stack(tmp_path: Path) -> None:
    before = read_all()["staging"]
    services = read_services(write_catalog(tmp_path, orders=ORDERS, stock=other()))
    config = complete("staging", before, services)
    assert set(config.tenants) == {"orders", "stock"}
    assert config.databases["main"].databases == ("orders",)
    assert config.databases["main"].users["orders"].service_account == "orders"
    assert config.tenants["orders"].secrets["payment-gateway"].readers == ("orders",)
    assert config.tenants["orders"].traffic.databases
    assert not config.tenants["stock"].traffic.databases
    assert config.logins("orders") == {"orders": ("main", "orders")}
    assert complete("production", read_all()["production"], services).tenants.keys() == {"orders"}
    assert complete("ci", read_all()["ci"], services) == read_all()["ci"]


def ephemeral(**more: Any) -> EnvironmentSettings:
    settings = {
        "kind": "ephemeral",
        "owner": "me",
        "created_at": "2027-01-28T18:00:00Z",
        "expires_at": "2027-01-31T18:00:00Z",
    }
    return EnvironmentSettings.model_validate_json(json.dumps({**settings, **more}))


def test_an_ephemeral_environment_runs_what_does_not_stay_out(tmp_path: Path) -> None:
    services = read_services(
        write_catalog(tmp_path, stock=other(), billing=other(repository="https://github.com/acme/b", ephemeral=None))
    )
    assert within("preview-1", ephemeral(), services).keys() == {"stock"}
    assert within("production", read_all()["production"].environment, services) == {}


def test_an_ephemeral_environment_runs_only_the_services_that_it_chooses(tmp_path: Path) -> None:
    services = read_services(
        write_catalog(
            tmp_path,
            stock=other(),
            web=other(repository="https://github.com/acme/w"),
            billing=other(repository="https://github.com/acme/b", ephemeral=None),
        )
    )
    document = json.loads(read_file(STACKS / "Pulumi.staging.yaml") or "")
    del document["gateway"], document["monitoring"]
    document |= {"environment": ephemeral().model_dump(mode="json"), "encryption": {"covers": []}}
    document["cluster"]["deletion_protection"] = document["databases"]["main"]["deletion_protection"] = False
    staging = parse("demo", json.dumps(document))
    chosen = changed(staging, environment=ephemeral(services=["web"]))
    assert complete("demo", chosen, services).tenants.keys() == {"web"}
    assert complete("demo", staging, services).tenants.keys() == {
        "stock",
        "web",
    }
    long_lived = {name: config for name, config in read_all().items() if config.environment.kind == "long-lived"}
    check_services({**long_lived, "demo": chosen}, services)
    for name, message in (
        (
            "moon",
            r"stacks/Pulumi\.demo\.yaml: atwork:stack\.environment\.services: there is no services/moon\.yaml; name one of stock, web",
        ),
        ("billing", r"services/billing\.yaml keeps billing out of ephemeral environments \(ephemeral: null\)"),
    ):
        wrong = changed(staging, environment=ephemeral(services=[name]))
        with pytest.raises(ConfigError, match=message):
            check_services({**long_lived, "demo": wrong}, services)


def test_a_service_can_read_its_environment(recordings: dict[str, Recording]) -> None:
    facts = recordings["production"].resource("kubernetes:core/v1:ConfigMap", "service-orders-facts").inputs
    assert facts["metadata"] == {"name": "platform", "namespace": "orders"}
    assert facts["data"] == {
        "ATWORK_ENVIRONMENT": "production",
        "DATABASE_INSTANCE": "project:region:database-main-instance",
        "DATABASE_NAME": "orders",
        "DATABASE_USER": facts["data"]["DATABASE_USER"],
        "GOOGLE_CLOUD_PROJECT": "acme-at-work-production",
        "GOOGLE_CLOUD_REGION": "europe-west1",
        "REDIS_AUTH": "iam",
        "REDIS_CA": "certificate of the instance",
        "REDIS_URL": "rediss://10.0.15.7:6379/0",
    }
    assert facts["data"]["DATABASE_USER"].endswith("@example.iam")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"stores": ["postgres", "mongo"]},
            r"services/stock\.yaml: stores\.1: .mongo. is not possible; write one of postgres, redis, mysql",
        ),
        ({"stores": ["redis", "redis"]}, r"stores: redis is there twice; remove one"),
        ({"health_path": "/"}, r"health_path: no host of the service is public, so nothing asks for it; remove it"),
        ({"health_path": "healthz"}, r"health_path: .*a path that begins with /"),
        ({"slo": {"availability": 99.9}}, r"slo: the service exports no metrics; set metrics to true once its chart"),
        (
            {"environments": {"staging": {"slo": {"availability": 99.9}}}},
            r"environments\.staging\.slo: the service exports no metrics; set metrics",
        ),
        ({"metrics": True, "slo": {"availability": 100}}, r"slo\.availability: 100 leaves no budget .* write 99\.99"),
        ({"metrics": True, "slo": {"availability": 85}}, r"slo\.availability: 85 is below 90, .* write 90 at least"),
        ({"metrics": True, "slo": {"latency": {"share": 99}}}, r"slo\.latency\.under"),
        ({"metrics": True, "slo": {}}, r"slo: has no objective; add availability or latency"),
        (
            {"metrics": True, "ephemeral": {"slo": {"availability": 99}}},
            r"ephemeral\.slo: an ephemeral environment has no alerts; remove it",
        ),
        ({"main_branch": "PR-7"}, r"main_branch: Jenkins calls pull requests PR-7; rename the branch"),
        ({"main_branch": "main%2Fx"}, r"main_branch"),
        ({"main_branch": "/main"}, r"main_branch"),
        ({"ownr": "x"}, r"services/stock\.yaml: ownr: unknown key; remove it"),
        ({"channel": "team"}, r"services/stock\.yaml: channel: .team. is not valid; write a Slack channel"),
        (
            {"repository": "git@github.com:acme/stock"},
            r"repository: .git@.*. is not valid; write the address of a repository on GitHub: https://github\.com/OWNER/NAME",
        ),
        ({"repository": "https://github.com/acme"}, r"repository: .*/acme. is not valid; write the address"),
        ({"repository": "https://github.com/acme/stock/tree/main"}, r"repository: .*/main. is not valid"),
        ({"repository": "https://gitlab.com/acme/stock"}, r"repository: .*gitlab.* is not valid"),
        ({"repository": "https://token@github.com/acme/stock"}, r"repository: .*token.* is not valid"),
        ({"main_branch": "refs/heads/main"}, r"main_branch: .*heads/main. is not valid; write a branch without refs/"),
        (
            {"viewers": ["group:a@example.com"]},
            r"viewers\.0: .*group:.* is not valid; write .*, without user: or group:",
        ),
        ({"channel": f"#{'a' * 81}"}, r"channel: .* is not valid; write a Slack channel"),
        ({"environments": {}}, r"environments: is empty; write an entry"),
        (
            {"environments": {"staging": {"host": "stock"}}},
            r"environments\.staging\.host: .stock. is not valid; write a full host name",
        ),
        (
            {"environments": {"staging": {"rotation": {"every_days": 9, "first": "2027-01-01T00:00:00Z"}}}},
            r"environments\.staging\.rotation: there are no secrets to change; remove it",
        ),
        (
            {"repository": "https://github.com/acme/orders.git"},
            r"repository: https://github\.com/acme/orders is services/orders\.yaml's already",
        ),
        (
            {"environments": {"staging": {"host": "orders.example.com"}}},
            r"stock\.yaml: environments\.\w+\.host: orders\.example\.com is services/orders\.yaml's already",
        ),
        (
            {"database": {"readers": ["a@example.com"], "writers": ["a@example.com"]}},
            r"database: readers: a@example\.com is among writers, who read too; remove it here",
        ),
        ({"database": {"name": "orders"}}, r"stock\.yaml: database: main/orders is services/orders\.yaml's already"),
    ],
)
def test_an_error_names_file_key_and_fix(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        read_services(write_catalog(tmp_path, orders=ORDERS, stock=other(**change)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"environments": {"stagin": {}}},
            r"services/stock\.yaml: environments\.stagin: there is no stacks/Pulumi\.stagin\.yaml; name one of ci",
        ),
        (
            {"database": {"instance": "big"}},
            r"database\.instance: stacks/Pulumi\.[\w-]+\.yaml has no databases\.big \(it has main\)",
        ),
        (
            {"database": {"readers": ["who@example.com"]}},
            (
                r"services/stock\.yaml: database\.readers: who@example\.com cannot log in to databases\.main of [a-z]+; "
                r"add it to databases\.main\.groups in stacks/Pulumi\.[a-z]+\.yaml, or remove it here"
            ),
        ),
        (
            {"database": {"writers": ["who@example.com"]}},
            r"services/stock\.yaml: database\.writers: who@example\.com cannot log in",
        ),
        ({"environments": {"ci": {}}, "database": {}}, r"Pulumi\.ci\.yaml has no databases\.main \(it has none\)"),
    ],
)
def test_a_file_that_does_not_fit_the_stacks_is_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    services = read_services(write_catalog(tmp_path, stock=other(**change)))
    with pytest.raises(ConfigError, match=message):
        _use(services)


def _use(services: dict[str, ServiceSettings]) -> None:
    environments = read_all()
    check_services(environments, services)
    for stack, config in environments.items():
        complete(stack, config, services)


def test_a_tenant_that_the_stack_has_itself_is_not_taken_over(tmp_path: Path) -> None:
    services = read_services(write_catalog(tmp_path, orders=ORDERS))
    once = complete("staging", read_all()["staging"], services)
    with pytest.raises(
        ConfigError, match=r"services/orders\.yaml: stacks/Pulumi\.staging\.yaml has tenants\.orders already"
    ):
        complete("staging", once, services)


def test_a_mistake_that_only_shows_together_names_both_files(tmp_path: Path) -> None:
    staging = read_all()["staging"]
    bare = changed(staging, cluster=changed(staging.cluster, admin_group=None), preview_namespaces=None)
    message = r"stacks/Pulumi\.staging\.yaml with services/orders\.yaml: atwork:stack: tenants\.orders: groups have rights only"
    with pytest.raises(ConfigError, match=message):
        complete("staging", bare, read_services(write_catalog(tmp_path, orders=ORDERS)))


@pytest.mark.parametrize("name", ["orders", "order-intake-2", "a"])
def test_names_that_are(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["Orders", "2orders", "orders-", "or_ders", "örders", "a" * 41, "-a"])
def test_names_that_are_not(name: str, tmp_path: Path) -> None:
    assert not is_name(name)
    (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(other()))
    with pytest.raises(ConfigError, match="the file's name is the service's"):
        read_services(tmp_path)


def test_a_login_cannot_be_longer_than_the_cloud_takes(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"database: its login is called as the service, 2 to 19 characters \(.* has 20\)"
    ):
        read_services(write_catalog(tmp_path, **{"a" * 20: other(database={})}))


@pytest.mark.parametrize("name", ["preview-janitor", "preview-1"])
def test_what_preview_namespaces_use_is_no_services_name(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(other()))
    with pytest.raises(ConfigError, match="the name is reserved for preview namespaces; rename the file"):
        read_services(tmp_path)
    (tmp_path / f"{name}.yaml").rename(tmp_path / "preview-maker.yaml")
    assert "preview-maker" in read_services(tmp_path)


@pytest.mark.parametrize("name", ["jenkins", "jenkins-agents", "jenkins-deploy-production", "jenkins-promote"])
def test_a_service_gets_no_namespace_of_jenkins(name: str, tmp_path: Path) -> None:
    """Its deployer could start pods there, which act as the accounts that release and deploy."""
    with pytest.raises(ConfigError, match=rf"services/{name}\.yaml: the name is reserved for the delivery system"):
        read_services(write_catalog(tmp_path, **{name: other(environments={"ci": {}})}))


def test_groups_of_people_have_rights_in_mysql_if_they_log_in_there(tmp_path: Path) -> None:
    before = read_all()["staging"]
    services = read_services(write_catalog(tmp_path, stock=other(database={"readers": ["a@example.com"]})))

    def with_groups(*groups: str) -> StackConfig:
        main = changed(before.databases["main"], version="MYSQL_8_4", groups=groups)
        return complete("staging", changed(before, databases={"main": main}), services)

    assert "stock" in with_groups("a@example.com").tenants
    with pytest.raises(
        ConfigError, match=r"database\.readers: a@example\.com cannot log in to databases\.main of staging"
    ):
        with_groups()


def test_the_namespace_of_databases_is_no_services_name(tmp_path: Path) -> None:
    (tmp_path / "database-rights.yaml").write_text(yaml.safe_dump(other()))
    with pytest.raises(
        ConfigError, match="the name is reserved for the namespace that gives rights in databases; rename the file"
    ):
        read_services(tmp_path)


def test_a_renamed_key_of_a_service_names_the_new_key(tmp_path: Path) -> None:
    old = "popup"
    write_catalog(tmp_path, stock=other(**{old: None}))
    with pytest.raises(ConfigError, match=rf"services/stock\.yaml: {old}: it is now called ephemeral; rename it"):
        read_services(tmp_path)


def test_an_environment_has_objectives_of_its_own_or_none() -> None:
    settings = {
        "owner": "team-stock",
        "repository": "https://github.com/acme/stock",
        "channel": "#stock",
        "metrics": True,
        "slo": {"availability": 99.9},
        "environments": {"staging": {"slo": None}, "demo": {"slo": {"availability": 99}}, "production": {}},
    }
    service = ServiceSettings.model_validate_json(json.dumps(settings))
    places = {name: service.slo_in(place) for name, place in service.environments.items()}
    assert {name: slo and slo.availability for name, slo in places.items()} == {
        "staging": None,
        "demo": 99,
        "production": 99.9,
    }
