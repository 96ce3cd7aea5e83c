"""The estimate: sums by hand, and nothing without a price or a name."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError
from support.changed import changed
from support.checkout import ROOT

from atwork.environments import cost, prices
from atwork.environments.cost import Estimate, estimate
from atwork.environments.prices import Prices
from infra.catalog import read_all as read_services
from infra.config import read_all
from infra.service_composition import complete

PRICES = prices.current()


def lines(result: Estimate) -> dict[str, tuple[float, float]]:
    return {line.name: (round(line.least, 2), round(line.most, 2)) for line in result.lines}


def test_staging_is_the_sum_of_its_parts() -> None:
    result = estimate(read_all()["staging"], PRICES)
    small = 730 * (2 * 0.02399275 + 8 * 0.00321588)
    large = 730 * (4 * 0.02399275 + 16 * 0.00321588)
    sql = 730 * (2 * 0.0413 + 7.5 * 0.0070)
    assert lines(result) == {
        "management of the cluster": (73.0, 73.0),
        "node pool system (e2-standard-2)": (round(small, 2), round(3 * small, 2)),
        "boot disks of system": (10.0, 30.0),
        "node pool services (e2-standard-4)": (round(large, 2), round(6 * large, 2)),
        "boot disks of services": (10.0, 60.0),
        "database main (db-custom-2-7680)": (round(sql + 20 * 0.17, 2), round(sql + 100 * 0.17, 2)),
        "NAT gateway": (round(2 * 0.0014 * 730, 2), round(9 * 0.0014 * 730, 2)),
        "load balancer of the gateway": (18.25, 18.25),
    }
    assert result.least == pytest.approx(sum(line.least for line in result.lines))
    assert "machines that services ask for beyond the pools (up to 64 vCPUs)" in result.unpriced
    assert "keys" in result.unpriced


def test_a_standby_doubles_a_database_and_spot_takes_off_the_share() -> None:
    production = lines(estimate(read_all()["production"], PRICES))
    instance = 730 * (4 * 0.0413 + 16 * 0.0070)
    assert production["database main (db-custom-4-16384)"] == (
        round(2 * (instance + 17), 2),
        round(2 * (instance + 85), 2),
    )
    ci = lines(estimate(read_all()["ci"], PRICES))
    full = 730 * (8 * 0.02399275 + 32 * 0.00321588)
    assert ci["node pool agents (e2-standard-8, spot)"] == (0.0, round(8 * full * 0.4, 2))


def test_what_has_no_price_is_named() -> None:
    staging = read_all()["staging"]
    elsewhere = estimate(changed(staging, region="asia-east1"), PRICES)
    assert {"node pool system (e2-standard-2)", "boot disks of services (pd-balanced)"} <= set(elsewhere.unpriced)
    pool = changed(staging.node_pools["system"], machine_type="c4-standard-4-lssd", disk_type="hyperdisk-balanced")
    database = changed(staging.databases["main"], tier="db-perf-optimized-N-2", edition="ENTERPRISE_PLUS")
    result = estimate(changed(staging, node_pools={"x": pool}, databases={"main": database}), PRICES)
    assert {
        "node pool x (c4-standard-4-lssd)",
        "boot disks of x (hyperdisk-balanced)",
        "database main (db-perf-optimized-N-2)",
    } <= set(result.unpriced)
    assert [line.name for line in result.lines] == [
        "management of the cluster",
        "NAT gateway",
        "load balancer of the gateway",
    ]


def test_without_a_gateway_there_is_no_load_balancer_and_redis_is_named() -> None:
    staging = read_all()["staging"]
    result = estimate(complete("staging", changed(staging, gateway=None, preview_namespaces=None), {}), PRICES)
    assert "load balancer of the gateway" not in lines(result)
    assert not any("gateway" in name for name in result.unpriced)
    production = complete("production", read_all()["production"], read_services(ROOT / "services"))
    assert "Redis of orders (STANDARD_SMALL, 2 nodes)" in estimate(production, PRICES).unpriced


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("e2-standard-4", (4, 16)),
        ("n2-highmem-8", (8, 64)),
        ("e2-highcpu-2", (2, 2)),
        ("e2-small", (0.5, 2)),
        ("m1-ultramem-40", None),
    ],
)
def test_the_size_of_a_machine_is_in_its_name(kind: str, size: tuple[float, float] | None) -> None:
    assert cost.size(kind) == size


def test_a_gateway_costs_no_more_after_32_machines() -> None:
    production = read_all()["production"]
    pools = {key: changed(pool, max_nodes=250) for key, pool in production.node_pools.items()}
    prices = lines(estimate(changed(production, node_pools=pools), PRICES))
    assert prices["NAT gateway"][1] == round(0.044 * 730, 2)


def test_machines_cost_what_google_lists() -> None:
    """The listed price of each machine type is the sum of the prices of its parts."""
    belgium, iowa = PRICES.of("europe-west1"), PRICES.of("us-central1")
    assert belgium is not None
    assert iowa is not None
    for group, kind, listed in (
        (belgium, "e2-standard-4", 0.1474),
        (belgium, "n2-highmem-96", 6.917856),
        (iowa, "e2-standard-4", 0.1340),
        (iowa, "n2-highmem-96", 6.288672),
    ):
        machine, size = group.machines[kind[:2]], cost.size(kind)
        assert size is not None
        assert size[0] * machine.vcpu_hour + size[1] * machine.gb_hour == pytest.approx(listed, rel=0.001)


def test_the_list_has_a_date_and_a_source_for_each_figure() -> None:
    assert date(2026, 1, 1) < PRICES.as_of
    content = yaml.safe_load(Path(prices.__file__).with_name("prices.yaml").read_text())
    content["nat"]["source"] = "hearsay"
    with pytest.raises(ValidationError, match="there is no source hearsay; add it to sources"):
        Prices.model_validate(content)
