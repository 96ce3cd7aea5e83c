"""Cloud SQL for MySQL next to PostgreSQL: what the program declares, and what MySQL cannot do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.mocks import Recording
from support.program import run_stack

from components.versions import CLOUD_SQL_PROXY, IMAGES
from infra.config import STACKS, parse, read_file
from infra.errors import ConfigError

STAGING: dict[str, Any] = json.loads(read_file(STACKS / "Pulumi.staging.yaml"))
INSTANCE = ("gcp:sql/databaseInstance:DatabaseInstance", "database-main-instance")


def staging(**database: Any) -> dict[str, Any]:
    """The databases of staging with other settings of the instance."""
    return {"databases": {"main": STAGING["databases"]["main"] | database}}


@pytest.fixture(scope="module")
def mysql() -> Recording:
    """Staging, whose services use MySQL."""
    return run_stack("staging", staging(version="MYSQL_8_4", high_availability=True, flags={"max_connections": "500"}))


def test_the_instance_has_binary_logs_and_the_flags_of_mysql(mysql: Recording) -> None:
    inputs = mysql.resource(*INSTANCE).inputs
    assert inputs["databaseVersion"] == "MYSQL_8_4"
    backups = inputs["settings"]["backupConfiguration"]
    assert backups["binaryLogEnabled"] is True
    assert "pointInTimeRecoveryEnabled" not in backups  # Cloud SQL has it for the other engines
    assert {flag["name"]: flag["value"] for flag in inputs["settings"]["databaseFlags"]} == {
        "cloudsql_iam_authentication": "on",
        "local_infile": "off",
        "max_connections": "500",
        "skip_show_database": "on",
    }


def test_a_login_has_the_whole_address_and_the_pod_the_name_that_mysql_keeps(mysql: Recording) -> None:
    user = mysql.resource("gcp:sql/user:User", "database-main-orders-user").inputs
    assert user["name"] == "orders-sql@acme-at-work-staging.iam.gserviceaccount.com"
    assert user["type"] == "CLOUD_IAM_SERVICE_ACCOUNT"
    facts = mysql.resource("kubernetes:core/v1:ConfigMap", "service-orders-facts").inputs["data"]
    assert facts["DATABASE_USER"] == "orders-sql"


def test_an_administrator_gives_rights_by_one_job(mysql: Recording) -> None:
    """MySQL's rights are on a database, so that the login of the service has nothing to do for them.

    The Job has the name that it has for PostgreSQL: it is replaced where a service moves to the other engine.
    """
    user = mysql.resource("gcp:sql/user:User", "database-main-administrator").inputs
    assert user["name"] == "database-admin@acme-at-work-staging.iam.gserviceaccount.com"
    assert user["databaseRoles"] == ["cloudsqlsuperuser"]
    jobs = {
        name: job.inputs
        for name, job in mysql.of_type("kubernetes:batch/v1:Job").items()
        if name.startswith("rights-orders")
    }
    assert list(jobs) == ["rights-orders-roles"]
    job = jobs["rights-orders-roles"]
    assert job["metadata"]["namespace"] == "database-rights"
    pod = job["spec"]["template"]["spec"]
    [client], [proxy] = pod["containers"], pod["initContainers"]
    assert client["image"].endswith(f"/library/{IMAGES['mysql']}")
    assert {"--user=database-admin", "--port=3306", "--enable-cleartext-plugin"} <= set(client["command"])
    assert "TO ''orders-sql''@''%''" in client["command"][-1]
    assert {"--auto-iam-authn", "--port=3306"} <= set(proxy["args"])
    waits = {
        urn.rpartition("::")[2] for urn in mysql.resource("kubernetes:batch/v1:Job", "rights-orders-roles").depends_on
    }
    assert {"database-main-administrator", "database-main-orders-user", "database-main-orders"} <= waits


def test_only_images_of_the_engines_in_use_may_run(recordings: dict[str, Recording]) -> None:
    """Production has no preview namespaces, whose stores are of all engines."""
    main = json.loads(read_file(STACKS / "Pulumi.production.yaml"))["databases"]["main"]
    mysql = run_stack("production", {"databases": {"main": main | {"version": "MYSQL_8_4"}}})
    for recording, used, unused in ((mysql, "mysql", "postgres"), (recordings["production"], "postgres", "mysql")):
        [policy] = recording.of_type("gcp:binaryauthorization/policy:Policy").values()
        named = json.dumps(policy.inputs)
        assert IMAGES[used] in named
        assert CLOUD_SQL_PROXY in named
        assert IMAGES[unused] not in named


def test_postgresql_keeps_its_names_and_logs(recordings: dict[str, Recording]) -> None:
    backups = recordings["staging"].resource(*INSTANCE).inputs["settings"]["backupConfiguration"]
    assert backups["pointInTimeRecoveryEnabled"] is True
    assert "binaryLogEnabled" not in backups
    user = recordings["staging"].resource("gcp:sql/user:User", "database-main-orders-user").inputs
    assert user["name"] == "orders-sql@acme-at-work-staging.iam"


@pytest.mark.parametrize(
    "database",
    [
        *({"version": f"POSTGRES_{major}"} for major in range(14, 19)),
        {"version": "MYSQL_8_0"},
        {"version": "MYSQL_8_0", "tier": "db-n1-standard-1"},
        {"version": "MYSQL_8_4", "tier": "db-perf-optimized-N-2", "edition": "ENTERPRISE_PLUS"},
        {"version": "MYSQL_8_4", "tier": "db-custom-N4-2-8192"},
        {"version": "MYSQL_8_0", "flags": {"expire_logs_days": "3"}},
        {"version": "MYSQL_8_0", "flags": {"innodb_buffer_pool_size": "4294967296", "sql_mode": "TRADITIONAL"}},
        {"version": "MYSQL_8_4", "flags": {"slow_query_log": "ON", "long_query_time": "0.5"}},
        {"version": "POSTGRES_15", "flags": {"force_parallel_mode": "off"}},
        {"version": "MYSQL_8_4", "backups": {"retained": 7, "point_in_time_days": 0}},
        {"version": "MYSQL_8_4", "groups": [f"{'a' * 32}@example.com"]},
        {"version": "POSTGRES_18", "groups": [f"{'a' * 33}@example.com"]},
    ],
    ids=str,
)
def test_engines_and_versions_that_are_accepted(database: dict[str, Any]) -> None:
    assert parse("staging", json.dumps(STAGING | staging(**database)))


@pytest.mark.parametrize(
    ("database", "message"),
    [
        (
            {"version": "MYSQL_8_4", "high_availability": True, "backups": {"retained": 7, "point_in_time_days": 0}},
            r"high_availability of MySQL needs binary logs: set backups\.point_in_time_days to 1 or more",
        ),
        ({"version": "MYSQL_8_4", "flags": {"local_infile": "on"}}, r"flags local_infile are set for every instance"),
        ({"version": "MYSQL_8_4", "flags": {"expire_logs_days": "3"}}, r"MYSQL_8_4 has no flag expire_logs_days, MYSQ"),
        ({"version": "MYSQL_8_4", "flags": {"max_conections": "3"}}, r"did you mean max_connections\?"),
        ({"version": "MYSQL_8_4", "flags": {"long_query_time": "1s"}}, r'long_query_time: "1s" is not a number'),
        ({"version": "MYSQL_8_4", "databases": ["mysql"]}, r"every instance has mysql from the start"),
        ({"version": "MYSQL_5_7"}, r'"MYSQL_5_7" is not possible; write one of POSTGRES_14, .*MYSQL_8_0, MYSQL_8_4'),
        (
            {"version": "MYSQL_8_4", "groups": [f"{'a' * 33}@example.com"]},
            r"groups: a+@example\.com has more than 32 characters before the @",
        ),
        ({"version": "POSTGRES_13"}, r'"POSTGRES_13" is not possible; write one of POSTGRES_14'),
        ({"version": "POSTGRES_18", "tier": "db-n1-standard-1"}, r"tier db-n1-standard-1 is of MySQL"),
        ({"version": "POSTGRES_14", "flags": {"transaction_timeout": "100"}}, r"POSTGRES_14 has no flag transaction_t"),
    ],
    ids=str,
)
def test_what_an_engine_cannot_do_is_refused(database: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^stacks/Pulumi\.staging\.yaml: atwork:stack\.databases\.main.*{message}"):
        parse("staging", json.dumps(STAGING | staging(**database)))
