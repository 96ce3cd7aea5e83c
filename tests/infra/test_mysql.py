"""Cloud SQL for MySQL next to PostgreSQL: what the program declares, and what MySQL cannot do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.mocks import Recording
from support.program import run_stack

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
        ({"version": "POSTGRES_13"}, r'"POSTGRES_13" is not possible; write one of POSTGRES_14'),
        ({"version": "POSTGRES_18", "tier": "db-n1-standard-1"}, r"tier db-n1-standard-1 is of MySQL"),
        ({"version": "POSTGRES_14", "flags": {"transaction_timeout": "100"}}, r"POSTGRES_14 has no flag transaction_t"),
    ],
    ids=str,
)
def test_what_an_engine_cannot_do_is_refused(database: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^stacks/Pulumi\.staging\.yaml: atwork:stack\.databases\.main.*{message}"):
        parse("staging", json.dumps(STAGING | staging(**database)))
