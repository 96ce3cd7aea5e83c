"""What Google takes is accepted and what it refuses is refused: one row for each value of a stack file."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from infra.config import STACKS, parse, read_all, read_file
from infra.errors import ConfigError
from infra.unlisted import unlisted

STAGING: dict[str, Any] = json.loads(read_file(STACKS / "Pulumi.staging.yaml"))
CI: dict[str, Any] = json.loads(read_file(STACKS / "Pulumi.ci.yaml"))
PLUS = {"edition": "ENTERPRISE_PLUS"}
HYPERDISK = {"disk_type": "hyperdisk-balanced"}


def stack(changes: dict[str, Any], base: dict[str, Any] = STAGING) -> str:
    """A stack file with changes by dotted path; maps are merged, other values replaced."""
    settings = copy.deepcopy(base)
    for path, value in changes.items():
        *folders, last = path.split(".")
        inner = settings
        for folder in folders:
            inner = inner.setdefault(folder, {})
        inner[last] = {**inner.get(last, {}), **value} if isinstance(value, dict) else value
    return json.dumps(settings)


def pool(**settings: object) -> dict[str, Any]:
    return {"node_pools.services": settings}


def database(**settings: object) -> dict[str, Any]:
    return {"databases.main": settings}


def flag(name: str, value: str, **settings: object) -> dict[str, Any]:
    return database(flags={name: value}, **settings)


@pytest.mark.parametrize(
    "changes",
    [
        pool(machine_type="n2-standard-8"),
        pool(machine_type="n4-standard-8", **HYPERDISK),
        pool(machine_type="c4a-standard-72", **HYPERDISK),
        pool(machine_type="c3-standard-8", disk_type="pd-balanced"),
        pool(machine_type="c3-standard-8", **HYPERDISK),
        pool(machine_type="c3-standard-8-lssd"),
        pool(machine_type="n2-custom-6-20480"),
        pool(machine_type="custom-2-4096"),
        pool(machine_type="e2-custom-4-8192"),
        pool(machine_type="m3-ultramem-32"),
        pool(machine_type="n2-custom-6-20480-ext"),
        pool(machine_type="c4n-standard-8", **HYPERDISK),
        pool(machine_type="h4d-highmem-192-lssd", **HYPERDISK),
        pool(machine_type="n1-megamem-96"),
        pool(labels={"team": "orders", "example.com/class": "large", "empty": ""}),
        pool(labels={"cloud.google.com/compute-class": "large"}),
        pool(taints=[{"key": "dedicated", "value": "batch"}]),
        {"node_pools.system.taints": [{"key": "soft", "value": "", "effect": "PREFER_NO_SCHEDULE"}]}
        | pool(taints=[{"key": "dedicated", "value": "batch"}]),
        database(tier="db-f1-micro"),
        database(tier="db-custom-1-3840"),
        database(tier="db-custom-96-638976"),
        database(tier="db-custom-N4-2-4096"),
        database(tier="db-custom-N4-2-8192", disk_type="HYPERDISK_BALANCED"),
        database(tier="db-perf-optimized-N-2", **PLUS),
        database(tier="db-perf-optimized-N-128", disk_type="PD_SSD", **PLUS),
        database(tier="db-memory-optimized-N-8", **PLUS),
        database(tier="db-c4a-highmem-4", **PLUS),
        database(tier="db-c4a-highmem-4", disk_type="HYPERDISK_BALANCED", **PLUS),
        database(tier="db-perf-optimized-N-2", backups={"retained": 35, "point_in_time_days": 35}, **PLUS),
        database(tier="db-custom-2-4096"),
        database(tier="db-custom-N4-80-655360"),
        database(disk_type="PD_HDD"),
        database(backups={"retained": 7, "point_in_time_days": 7}),
        database(backups={"retained": 1, "point_in_time_days": 0}),
        database(backups={"location": "eu"}),
        database(freeze={"start": "12-14", "end": "01-06"}),
        database(freeze={"start": "2-29", "end": "03-01"}),
        database(freeze={"start": "2027-11-20", "end": "2028-01-05"}),
        flag("max_connections", "200"),
        flag("work_mem", "65536"),
        flag("autovacuum_vacuum_scale_factor", "0.05"),
        flag("cloudsql.logical_decoding", "on"),
        flag("pgaudit.log", "ddl,role"),
        flag("ssl_max_protocol_version", "TLSv1.3"),
        flag("shared_buffers", "131072"),
        flag("random_page_cost", "1.1"),
        flag("jit_above_cost", "1e6"),
        flag("wal_compression", "zstd", version="POSTGRES_16"),
        {"network.pods": "240.0.0.0/16"},
        {"network.pods": "255.254.0.0/16"},
        {"network.pods": "100.64.0.0/16"},
        {"region": "us-central1", "cluster.zone": "us-central1-f"},
        {"region": "asia-southeast3"},
        {"environment.owner": "team_orders-2"},
        {"environment.owner": "1"},
    ],
    ids=str,
)
def test_a_value_that_google_takes_is_accepted(changes: dict[str, Any]) -> None:
    assert parse("staging", stack(changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (pool(machine_type="n4-standard-8"), r"disk_type: .* n4 have no pd-balanced; set disk_type to hyperdisk-bal"),
        (pool(machine_type="c3-standard-8", disk_type="pd-standard"), r"set disk_type to pd-balanced or pd-ssd or hyp"),
        (pool(machine_type="g4-standard-48"), r"g4 have no pd-balanced"),
        (pool(machine_type="n2-standart-8"), r"Google has no n2-standart-8; did you mean n2-standard-8"),
        (pool(machine_type="n4-standart-8", **HYPERDISK), r"no n4-standart-8; did you mean n4-standard-8\?"),
        (pool(machine_type="e2-highmem-32"), r"no e2-highmem-32; did you mean e2-highmem-"),
        (pool(machine_type="n-standard-8"), r"no machine series n; begin with one, such as n2-standard-8"),
        (pool(machine_type="n2-standard-9"), r"no n2-standard-9; did you mean n2-standard-"),
        (pool(machine_type="nn2-standard-8"), r"no machine series nn2; did you mean n2"),
        (pool(machine_type="c2-custom-4-8192"), r"series c2 has no custom machine types"),
        (pool(machine_type="n2-custom-3-8192"), r"1 CPU or an even number; write 4"),
        (pool(machine_type="n2-custom-4-8000"), r"memory is in steps of 256 MB; write 8192"),
        (pool(machine_type="e2-medium", gvisor=True), r"gvisor: e2-medium cannot run it"),
        (pool(labels={"my team": "orders"}), r'"my team" is not a key of Kubernetes'),
        (pool(labels={"team": "my orders"}), r'"my orders" is not a value of a label'),
        (pool(labels={"team": "orders-"}), r'"orders-" is not a value of a label'),
        (pool(labels={"kubernetes.io/role": "node"}), r"kubernetes\.io is reserved"),
        (pool(labels={"x.k8s.io/role": "node"}), r"k8s\.io is reserved"),
        (pool(labels={"atwork.dev/pool": "other"}), r"atwork\.dev/pool is the label with the pool's name"),
        (pool(taints=[{"key": "my key", "value": "x"}]), r'"my key" is not a key of Kubernetes'),
        (pool(taints=[{"key": "a", "value": "x y"}]), r'"x y" is not a value of a label'),
        (pool(taints=[{"key": "a", "value": "x"}, {"key": "a", "value": "y"}]), r"a with NO_SCHEDULE is there twice"),
        (pool(taints=[{"key": "atwork.dev/pool", "value": "servces"}]), r"services\.taints: .* write services"),
        (
            {"node_pools.system.taints": [{"key": "a", "value": "x"}]} | pool(taints=[{"key": "a", "value": "x"}]),
            r"all have gvisor or a taint, and GKE's own pods run on neither; add a pool",
        ),
        ({"node_pools.system.gvisor": True} | pool(gvisor=True), r"all have gvisor or a taint"),
        ({"node_pools.system.gvisor": True} | pool(taints=[{"key": "a", "value": "x"}]), r"all have gvisor or a taint"),
        (
            {"node_pools.default-pool": {"machine_type": "e2-medium", "min_nodes": 0, "max_nodes": 1}},
            r"node_pools\.default-pool: GKE gives the name default-pool",
        ),
        (database(tier="db-custom-3-11520"), r"even number of CPUs up to 96; write db-custom-4-11520"),
        (database(tier="db-custom-2-2048"), r"2 CPUs have 3840 to 13312 MB .*; write db-custom-2-3840"),
        (database(tier="db-custom-2-7681"), r"in steps of 256 MB; write db-custom-2-7936"),
        (database(tier="db-custom-2-99999"), r"write db-custom-2-13312"),
        (database(tier="db-custom-98-368640"), r"up to 96; write db-custom-96-368640"),
        (database(tier="db-custom-2"), r"write db-custom-CPUS-MEMORY, with the memory in MB"),
        (database(tier="db-custom-N4-1-4096"), r"an even number of CPUs up to 80; write db-custom-N4-2-4096"),
        (database(tier="db-standard-2"), r"no db-standard-2; did you mean db-n1-standard-2\?"),
        (database(tier="db-costum-2-7680"), r"no db-costum-2-7680; tiers of that kind begin with db-custom-"),
        (database(engine="mysql"), r"engine: version names the engine: write version: MYSQL_8_4 or POSTGRES_18"),
        (database(database_version="MYSQL_8_0"), r"database_version: version names the engine"),
        (database(tier="db-n1-standard-1"), r"db-n1-standard-1 is of MySQL; write .*db-custom-1-3840"),
        (
            database(tier="db-perf-optimized-N-3", **PLUS),
            r"no db-perf-optimized-N-3; did you mean db-perf-optimized-N-",
        ),
        (database(tier="db-perf-optimized-n-2", **PLUS), r"did you mean db-perf-optimized-N-2"),
        (
            database(tier="db-perf-optimized-N-2"),
            r"does not belong to edition ENTERPRISE; set edition: ENTERPRISE_PLUS",
        ),
        (database(**PLUS), r"db-custom-2-7680 does not belong to edition ENTERPRISE_PLUS; set edition: ENTERPRISE"),
        (database(tier="db-c4a-highmem-4", disk_type="PD_SSD", **PLUS), r"disk_type PD_SSD: .* HYPERDISK_BALANCED"),
        (database(disk_type="HYPERDISK_BALANCED"), r"db-custom-2-7680 has PD_SSD or PD_HDD"),
        (database(tier="db-custom-N4-2-8192", disk_size_gb=10), r"disk_size_gb 10 is below 20"),
        (database(backups={"retained": 3, "point_in_time_days": 7}), r"retained 3 is below point_in_time_days 7"),
        (database(backups={"retained": 3}), r"retained 3 is below point_in_time_days 7"),
        (
            database(backups={"retained": 9, "point_in_time_days": 8}),
            r"point_in_time_days 8 is above the 7 of ENTERPRISE; lower it, or choose ENTERPRISE_PLUS",
        ),
        (database(backups={"location": "europe"}), r"no region europe; .*the multi-regions are asia, eu, us"),
        (database(freeze={"start": "02-31", "end": "13-45"}), r'"02-31" is not a day of the calendar'),
        (database(freeze={"start": "11-20", "end": "13-45"}), r'"13-45" is not a day of the calendar'),
        (database(freeze={"start": "11-20", "end": "2027-01-05"}), r"state the year in both, or in neither"),
        (
            database(freeze={"start": "01-10", "end": "08-01"}),
            r"205 days .* are more than the 90 that Cloud SQL allows",
        ),
        (database(freeze={"start": "2028-01-05", "end": "2027-12-01"}), r"is before start"),
        (flag("max_connection", "200"), r"POSTGRES_18 has no flag max_connection; did you mean max_connections"),
        (
            flag("max_connections", "many"),
            r'max_connections: "many" is not an integer without a unit; write one from 14 to 262143',
        ),
        (flag("max_connections", "7"), r"max_connections: 7 is out of range; write an integer from 14 to 262143"),
        (flag("max_connections", "1_000"), r'"1_000" is not an integer without a unit'),
        (
            flag("work_mem", "64MB"),
            r'work_mem: "64MB" is not an integer without a unit; write one from 64 to 2147483647',
        ),
        (flag("autovacuum_vacuum_scale_factor", "nan"), r'"nan" is not a number'),
        (flag("log_min_duration_statment", "100"), r"did you mean log_min_duration_statement\?"),
        (flag("cloudsql.enable_pg_audit", "on"), r"did you mean cloudsql\.enable_pgaudit\?"),
        (flag("max-connections", "100"), r'"max-connections" is no name of a flag'),
        (flag("jit", "yes"), r'jit: "yes" is neither on nor off'),
        (flag("default_transaction_isolation", "dirty"), r'"dirty" is not one of serializable, repeatable read'),
        (flag("io_method", "worker", version="POSTGRES_17"), r"POSTGRES_17 has no flag io_method, POSTGRES_18 have it"),
        (database(databases=["postgres"]), r"every instance has postgres from the start"),
        (database(databases=["shop", "shop"]), r"databases: shop is there twice"),
        (database(groups=["dba@example.com", "dba@example.com"]), r"groups: dba@example\.com is there twice"),
        (database(groups=["dba@example.com", "dba@example.org"]), r"groups: two begin with dba@"),
        ({"secrets.replicas": ["europe-west1", "europe-west1"]}, r"replicas: europe-west1 is there twice"),
        (
            {"tenants.x": {"owner": "me", "accounts": ["a"], "viewers": ["a@example.com", "a@example.com"]}},
            r"viewers: a@example\.com is there twice",
        ),
        ({"tenants.x": {"owner": "me", "accounts": ["default"]}}, r"accounts: .*default"),
        ({"network.pods": "255.255.0.0/16"}, r"255\.255\.0\.0/16 contains 255\.255\.255\.255/32"),
        ({"region": "eu-west1"}, r"region: Google has no region eu-west1; did you mean europe-west1"),
        ({"region": "us-east-1"}, r'"us-east-1" is not valid; write a region, not a zone, such as europe-west1'),
        ({"region": "europe-wset1"}, r"no region europe-wset1; did you mean europe-west1"),
        ({"region": "europe-west99"}, r"no region europe-west99"),
        ({"region": "europe-west1-b"}, r"write a region, not a zone, such as europe-west1"),
        ({"cluster.zone": "europe-west1-a"}, r"no zone europe-west1-a; write one of europe-west1-b, europe-west1-c"),
        ({"cluster_backup": {"location": "europe-north9"}}, r"no region europe-north9; did you mean .*europe-north1"),
        ({"secrets.replicas": ["europe-west1", "eu-north1"]}, r"no region eu-north1; did you mean europe-north1"),
        ({"environment.owner": ""}, r'owner: "" is not valid; write 1 to 63'),
        ({"environment.owner": "orders-"}, r'"orders-" is not valid; write 1 to 63'),
        ({"environment.owner": "Team Orders"}, r'"Team Orders" is not valid; write 1 to 63'),
    ],
    ids=str,
)
def test_a_value_that_google_refuses_is_refused_with_the_fix(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^stacks/Pulumi\.staging\.yaml: atwork:stack.*{message}"):
        parse("staging", stack(changes))


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"region": "europe-west13"}, "region: europe-west13"),
        ({"region": "asia-central1"}, "region: asia-central1"),
        (pool(machine_type="n5-standard-8"), "node_pools.services.machine_type: n5-standard-8"),
        (pool(machine_type="c4-standard-12", **HYPERDISK), "node_pools.services.machine_type: c4-standard-12"),
        (database(tier="db-c4-highmem-4", **PLUS), "databases.main.tier: db-c4-highmem-4"),
        (database(tier="db-c4a-highmem-96", **PLUS), "databases.main.tier: db-c4a-highmem-96"),
        (flag("cloudsql.enable_future", "on"), "databases.main.flags.cloudsql.enable_future: cloudsql.enable_future"),
        (flag("wal_keep_size", "64"), "databases.main.flags.wal_keep_size: wal_keep_size"),
    ],
    ids=str,
)
def test_a_value_that_can_be_newer_than_the_lists_is_accepted_and_named(changes: dict[str, Any], key: str) -> None:
    config = parse("staging", stack(changes))
    assert [line.partition(" is in no list")[0] for line in unlisted(config)] == [key]


def test_the_values_of_the_stack_files_are_all_listed() -> None:
    assert not [line for config in read_all().values() for line in unlisted(config)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"jenkins.agent_pool": "builders"},
            r"jenkins\.agent_pool: there is no node_pools\.builders; name one of system, a",
        ),
        (
            {"jenkins.controller": {"pool": "nosuch"}},
            r"jenkins\.controller\.pool: there is no node_pools\.nosuch; name one",
        ),
        (
            {"jenkins.controller": {"storage_class": "standart-rwo"}},
            r"no storage class standart-rwo; did you mean stan",
        ),
        ({"jenkins.admins": ["a@example.com", "a@example.com"]}, r"admins: a@example\.com is there twice"),
        (
            {"registry.location": "eu"},
            r"registry\.location: Google has no region eu; .*multi-regions are asia, europe, us",
        ),
        (
            {"tenants.jenkins": {"owner": "me", "accounts": ["a"]}},
            r"tenants\.jenkins: the namespace belongs to jenkins",
        ),
        (
            {"tenants.jenkins-tests": {"owner": "me", "accounts": ["a"]}},
            r"jenkins-tests: the namespace belongs to jenkins",
        ),
    ],
    ids=str,
)
def test_a_wrong_value_of_the_environment_that_builds_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse("ci", stack(changes, CI))


def test_the_controller_may_have_a_pool() -> None:
    assert parse("ci", stack({"jenkins.controller": {"pool": "system"}}, CI))
