"""Read replicas of databases: what they may say, and what becomes of it and of their primary."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.mocks import Recording
from support.program import run_stack

from infra.config import STACKS, parse, read_file
from infra.errors import ConfigError

INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"


def databases(replicas: dict[str, Any], **main: Any) -> dict[str, Any]:
    stack = json.loads(read_file(STACKS / "Pulumi.staging.yaml"))
    return {"main": {**stack["databases"]["main"], **main, "replicas": replicas}}


def refused(replicas: dict[str, Any], **main: Any) -> str:
    stack = json.loads(read_file(STACKS / "Pulumi.staging.yaml"))
    try:
        parse("staging", json.dumps({**stack, "databases": databases(replicas, **main)}))
    except ConfigError as error:
        return str(error)
    return ""


@pytest.fixture(scope="module")
def declared() -> Recording:
    replicas = {
        "reports": {"tier": "db-custom-4-15360", "flags": {"work_mem": "131072"}},
        "elsewhere": {"region": "europe-north1", "high_availability": True},
    }
    return run_stack(
        "staging", {"databases": databases(replicas, flags={"work_mem": "65536", "max_connections": "200"})}
    )


def inputs(declared: Recording, name: str) -> dict[str, Any]:
    return dict(declared.of_type(INSTANCE)[f"database-main-{name}"].inputs)


def test_a_replica_names_its_primary_and_has_only_what_cloud_sql_takes(declared: Recording) -> None:
    replica = inputs(declared, "reports-replica")
    assert replica["masterInstanceName"]
    assert replica["deletionProtection"] is False
    settings = replica["settings"]
    assert (settings["tier"], settings["edition"], settings["availabilityType"]) == (
        "db-custom-4-15360",
        "ENTERPRISE",
        "ZONAL",
    )
    refused = {"backupConfiguration", "maintenanceWindow", "denyMaintenancePeriod", "finalBackupConfig", "diskSize"}
    assert not refused & settings.keys()
    flags = {flag["name"]: flag["value"] for flag in settings["databaseFlags"]}
    assert (flags["work_mem"], flags["max_connections"]) == ("131072", "200")
    assert flags["cloudsql.iam_authentication"] == "on"


def test_only_a_replica_in_the_region_has_an_endpoint_and_the_key_of_the_primary(declared: Recording) -> None:
    near, far = inputs(declared, "reports-replica"), inputs(declared, "elsewhere-replica")
    [psc], [far_psc] = (item["settings"]["ipConfiguration"]["pscConfigs"] for item in (near, far))
    assert psc["pscAutoConnections"]
    assert "pscAutoConnections" not in far_psc
    assert far["region"] == "europe-north1"
    assert "encryptionKeyName" not in near
    assert far["encryptionKeyName"]
    keys = {item.name for item in declared.of_type("gcp:kms/cryptoKey:CryptoKey").values()}
    assert "keys-databases-europe-north1" in keys


def test_with_replicas_no_instance_enforces_connectors_and_all_want_a_certificate(declared: Recording) -> None:
    for instance in declared.of_type(INSTANCE).values():
        settings = instance.inputs["settings"]
        assert settings["connectorEnforcement"] == "NOT_REQUIRED"
        assert settings["ipConfiguration"]["sslMode"] == "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"
    assert inputs(declared, "instance")["includeReplicasForMajorVersionUpgrade"] is True
    [alone] = run_stack("staging").of_type(INSTANCE).values()
    assert alone.inputs["settings"]["connectorEnforcement"] == "REQUIRED"
    assert "includeReplicasForMajorVersionUpgrade" not in alone.inputs


@pytest.mark.parametrize(
    ("replicas", "main", "message"),
    [
        ({"r": {"tier": "db-perf-optimized-N-2"}}, {}, "replicas.r.tier: db-perf-optimized-N-2 has another edition"),
        ({"r": {"tier": "db-custom-2-1"}}, {}, "db-custom-2-1"),
        ({"r": {"flags": {"max_connection": "1"}}}, {}, "replicas.r.flags: POSTGRES_18 has no flag max_connection"),
        ({"r": {"flags": {"log_statement": "all"}}}, {}, "replicas.r.flags.log_statement is set for every instance"),
        (
            {"r": {"flags": {"max_connections": "100"}}},
            {"flags": {"max_connections": "200"}},
            "flags.max_connections: 100 is below the primary's 200",
        ),
        (
            {"r": {}},
            {"backups": {"retained": 7, "point_in_time_days": 0}},
            "set backups.point_in_time_days to 1 or more",
        ),
        ({"r": {"region": "europe-nowhere1"}}, {}, "europe-nowhere1"),
        ({"r": {"backups": {}}}, {}, "backups is the primary's, and Cloud SQL refuses it for a replica; remove it"),
        ({f"r{number}": {} for number in range(11)}, {}, "replicas"),
        ({"R": {}}, {}, "replicas"),
        ({f"r{number}": {} for number in range(10)}, {}, ""),
        ({"r": {"flags": {"max_connections": "300"}}}, {"flags": {"max_connections": "200"}}, ""),
    ],
)
def test_what_cloud_sql_refuses_is_refused(replicas: dict[str, Any], main: dict[str, Any], message: str) -> None:
    message_of_all = refused(replicas, **main)
    assert message in message_of_all
    assert bool(message_of_all) is bool(message)
