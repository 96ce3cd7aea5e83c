"""Values that companies use, from public configurations and bug reports: right ones are accepted, wrong ones refused.

A comment with a repository or an issue has the source, read on 2026-11-27; the other values are usual ones.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.config import STACKS, parse, read_file
from infra.errors import ConfigError

STAGING: dict[str, Any] = json.loads(read_file(STACKS / "Pulumi.staging.yaml"))
PLUS, HYPERDISK = {"edition": "ENTERPRISE_PLUS"}, {"disk_type": "hyperdisk-balanced"}


def pool(**settings: Any) -> str:
    """Staging with a pool of machines."""
    services = STAGING["node_pools"]["services"] | settings
    return json.dumps(STAGING | {"node_pools": STAGING["node_pools"] | {"services": services}})


def database(**settings: Any) -> str:
    """Staging with an instance."""
    return json.dumps(STAGING | {"databases": {"main": STAGING["databases"]["main"] | settings}})


@pytest.mark.parametrize(
    "text",
    [
        # MaterializeInc/materialize-terraform-self-managed
        pool(machine_type="n2-highmem-8"),
        pool(machine_type="c4-standard-8", **HYPERDISK),
        pool(machine_type="c4a-highmem-8-lssd", **HYPERDISK),
        database(version="POSTGRES_16", tier="db-custom-2-4096"),
        database(tier="db-custom-N4-2-4096", disk_type="HYPERDISK_BALANCED"),
        # sparecores/sc-inspector
        database(tier="db-perf-optimized-N-128", **PLUS),
        database(tier="db-memory-optimized-N-8", **PLUS),
        # langfuse/langfuse-terraform-gcp
        database(
            version="POSTGRES_15",
            tier="db-perf-optimized-N-2",
            backups={"retained": 15, "point_in_time_days": 14},
            **PLUS,
        ),
        # braintrustdata/terraform-google-braintrust-data-plane
        database(tier="db-c4a-highmem-8", disk_size_gb=20, **PLUS),
        # clouddrove/terraform-gcp-sql-db
        database(
            version="POSTGRES_15",
            flags={"idle_in_transaction_session_timeout": "2147483647", "log_error_verbosity": "default"},
        ),
        database(
            version="MYSQL_8_0",
            flags={
                "character_set_server": "utf8mb4",
                "innodb_lock_wait_timeout": "120",
                "max_allowed_packet": "15728640",
            },
        ),
        database(version="MYSQL_8_0", tier="db-g1-small"),
        database(version="POSTGRES_17", tier="db-g1-small", flags={"cloudsql.enable_pglogical": "on"}),
        database(version="POSTGRES_14", flags={"cloudsql.pg_shadow_select_role": "pgbouncer"}),
        database(version="POSTGRES_17", flags={"cloudsql.enable_pg_bigm": "on", "max_connections": "1000"}),
        database(version="POSTGRES_16", flags={"cloudsql.enable_pg_cron": "on", "cron.database_name": "orders"}),
        database(version="POSTGRES_14", flags={"temp_file_limit": "10485760", "random_page_cost": "1.1"}),
        database(version="MYSQL_8_4", tier="db-n1-standard-2", flags={"log_bin_trust_function_creators": "on"}),
        pool(machine_type="e2-medium"),
        pool(machine_type="n1-standard-2"),
        pool(machine_type="t2a-standard-4", disk_type="pd-ssd"),
        pool(machine_type="c3d-standard-30", **HYPERDISK),
        pool(machine_type="n2d-custom-8-65536-ext"),
    ],
)
def test_a_right_value_is_accepted(text: str) -> None:
    assert parse("staging", text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # https://github.com/langfuse/langfuse-terraform-gcp/issues/8
        (
            database(tier="db-custom-2-4096", backups={"retained": 15, "point_in_time_days": 14}),
            r"point_in_time_days 14 is above the 7 of ENTERPRISE",
        ),
        (
            database(tier="db-custom-2-4096", **PLUS),
            r"does not belong to edition ENTERPRISE_PLUS; set edition: ENTERPR",
        ),
        # https://github.com/terraform-google-modules/terraform-google-sql-db/pull/785
        (
            database(tier="db-perf-optimized-N-2", backups={"retained": 7, "point_in_time_days": 14}, **PLUS),
            r"retained 7 is below point_in_time_days 14",
        ),
        # braintrustdata: SSD with C4A, and a disk below its smallest
        (
            database(tier="db-c4a-highmem-8", disk_type="PD_SSD", **PLUS),
            r"disk_type PD_SSD: db-c4a-highmem-8 has HYPERD",
        ),
        (database(tier="db-c4a-highmem-8", disk_size_gb=10, **PLUS), r"disk_size_gb 10 is below 20"),
        # A script that creates an instance of PostgreSQL with the flag of MySQL
        (
            database(version="POSTGRES_15", flags={"cloudsql_iam_authentication": "on"}),
            r"no flag cloudsql_iam_authentication; did you mean cloudsql\.iam_authentication\?",
        ),
        # MaterializeInc: N4 with the disk of the pool before it
        (pool(machine_type="n4-standard-8", disk_type="pd-ssd"), r"n4 have no pd-ssd; set disk_type to hyperdisk-bal"),
        (
            pool(machine_type="n2-standard-8", **HYPERDISK),
            r"n2 have no hyperdisk-balanced; set disk_type to pd-balanced",
        ),
        (
            database(version="MYSQL_8_0", flags={"character_set_sever": "utf8mb4"}),
            r"did you mean character_set_server\?",
        ),
        (database(tier="db-n1-standard-1"), r"db-n1-standard-1 is of MySQL"),
        (database(tier="db-custom-1-1024"), r"1 CPU have 3840 to 6656 MB of memory"),
    ],
)
def test_a_wrong_value_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse("staging", text)
