"""What environments need of the limits of Google Cloud and Kubernetes: at a limit nothing, one more exceeds it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support import iap_client

from infra import limits
from infra.config import STACKS, parse, read_file
from infra.limits import Limit
from infra.needs import Need, needs
from infra.stack import StackConfig

CLUSTER = {"admin_group": "gke-security-groups@example.com"}


def stack(**changes: Any) -> dict[str, Any]:
    """The settings of staging without its node pools' upgrades and without preview namespaces."""
    settings = json.loads(read_file(STACKS / "Pulumi.staging.yaml"))
    del settings["preview_namespaces"], settings["cluster"]["autoprovisioning"]
    return settings | changes


def config(**changes: Any) -> StackConfig:
    return parse("staging", json.dumps(stack(**changes)))


def pool(most: int, **more: Any) -> dict[str, Any]:
    return {"machine_type": "e2-standard-2", "min_nodes": 0, "max_nodes": most, **more}


def tenant(pods: int = 1, secrets: int = 0) -> dict[str, Any]:
    return {
        "owner": "team",
        "accounts": ["app"],
        "size": {"quota": {"pods": pods}},
        "secrets": {f"s{number}": {"readers": ["app"]} for number in range(secrets)},
    }


def tenants(*pods: int, secrets: int = 0) -> dict[str, Any]:
    return {f"t{number}": tenant(count, secrets) for number, count in enumerate(pods)}


def logins(count: int, pods: int = 1, tier: str = "db-custom-2-7680", **flags: str) -> dict[str, Any]:
    """An instance with logins, each of a tenant of its own."""
    users = {f"u{number}": {"namespace": f"t{number}", "service_account": "app"} for number in range(count)}
    return {
        "databases": {"main": {"tier": tier, "users": users, "flags": flags}},
        "tenants": tenants(*[pods] * count),
    }


def need(name: str, settings: StackConfig) -> Need:
    [matching] = [each for each in needs("staging", settings) if name in each.name]
    return matching


def network(nodes: str, pods: str, **more: Any) -> dict[str, Any]:
    return {"network": {"nodes": nodes, "pods": pods, **more}}


@pytest.mark.parametrize(
    ("name", "fits", "exceeds"),
    [
        # Three accounts are those of the nodes, the deployer and the databases' administrator.
        ("service accounts", logins(97), logins(98)),
        # Four grants are those of the nodes, the administrators and the two deployers; each login has two, and so has the
        # databases' administrator.
        (
            "principals",
            logins(747) | {"gateway": None, "preview_namespaces": {"count": 1}},
            logins(747)
            | {"gateway": None, "preview_namespaces": {"count": 1}, "cluster": {**CLUSTER, "image_streaming": True}},
        ),
        (
            "nodes of the cluster",
            {"node_pools": {f"p{number}": pool(999) for number in range(5)}},
            {"node_pools": {**{f"p{number}": pool(999) for number in range(4)}, "p5": pool(1000)}},
        ),
        (
            "network.pods",
            network("10.0.0.0/20", "10.64.0.0/20") | {"node_pools": {"a": pool(10), "b": pool(4)}},
            network("10.0.0.0/20", "10.64.0.0/20") | {"node_pools": {"a": pool(10), "b": pool(5)}},
        ),
        (
            "network.pods",
            network("10.0.0.0/20", "10.64.0.0/20", extra_pods={"more": "10.65.0.0/22"})
            | {"node_pools": {"a": pool(19)}},
            network("10.0.0.0/20", "10.64.0.0/20", extra_pods={"more": "10.65.0.0/22"})
            | {"node_pools": {"a": pool(20)}},
        ),
        (
            "network.pods",
            network("10.0.0.0/20", "10.64.0.0/20") | {"node_pools": {"a": pool(7, upgrade="blue-green"), "b": pool(1)}},
            network("10.0.0.0/20", "10.64.0.0/20") | {"node_pools": {"a": pool(7, upgrade="blue-green"), "b": pool(2)}},
        ),
        (
            "network.nodes",
            network("10.0.0.0/28", "10.64.0.0/16", database_endpoints=6, redis_endpoints=2)
            | {"node_pools": {"a": pool(3)}},
            network("10.0.0.0/28", "10.64.0.0/16", database_endpoints=6, redis_endpoints=3)
            | {"node_pools": {"a": pool(3)}},
        ),
        (
            "network.nodes",
            network("10.0.0.0/28", "10.64.0.0/16", database_endpoints=6, redis_endpoints=2)
            | {"node_pools": {"a": pool(3)}},
            network("10.0.0.0/28", "10.64.0.0/16", database_endpoints=7, redis_endpoints=2)
            | {"node_pools": {"a": pool(3)}},
        ),
        ("pods of the cluster", {"tenants": tenants(*[5000] * 40)}, {"tenants": tenants(*[5000] * 40, 1)}),
        (
            "pods by the quotas",
            {"node_pools": {"a": pool(2)}, "tenants": tenants(200, 20)},
            {"node_pools": {"a": pool(2)}, "tenants": tenants(200, 21)},
        ),
        (
            "pods by the quotas",
            {"node_pools": {"a": pool(2)}, "tenants": tenants(20), "preview_namespaces": {"count": 10}},
            {"node_pools": {"a": pool(2)}, "tenants": tenants(21), "preview_namespaces": {"count": 10}},
        ),
        ("Kubernetes Services", {"tenants": tenants(*[1] * 4096)}, {"tenants": tenants(*[1] * 4097)}),
        (
            "accesses to secrets",
            {"tenants": tenants(5000, 4000, secrets=20)},
            {"tenants": tenants(5000, 4000, secrets=20) | {"last": tenant(1, 1)}},
        ),
        (
            "accesses to secrets",
            {"tenants": tenants(5000, 4000, secrets=20)},
            {"tenants": tenants(5000, 4000, secrets=20), "gateway": iap_client.settings()["gateway"]},
        ),
        ("connections", logins(4, 50, max_connections="200"), logins(4, 50, max_connections="199")),
        ("connections", logins(5, 5, tier="db-f1-micro"), logins(13, 2, tier="db-f1-micro")),
    ],
)
def test_each_limit_is_exceeded_by_one_more(name: str, fits: dict[str, Any], exceeds: dict[str, Any]) -> None:
    enough, too_many = need(name, config(**fits)), need(name, config(**exceeds))
    assert enough.count == enough.most
    assert not enough.exceeded
    assert too_many.count == too_many.most + 1
    assert too_many.exceeded
    assert f"up to {too_many.count:,} " in str(too_many)
    assert too_many.fix in str(too_many)
    assert "https://" in str(too_many)


def test_with_autoprovisioning_the_ranges_limit_the_pods_and_not_the_pools() -> None:
    settings = stack(node_pools={"a": pool(2)}, **network("10.0.0.0/20", "10.64.0.0/20"))
    settings["cluster"]["autoprovisioning"] = {"max_cpu": 400, "max_memory_gb": 400}
    ranges = need("pods by the quotas", parse("staging", json.dumps(settings)))
    assert (ranges.most, "network.extra_pods" in ranges.fix) == (16 * 110, True)
    del settings["cluster"]["autoprovisioning"]
    pools = need("pods by the quotas", parse("staging", json.dumps(settings)))
    assert (pools.most, "max_nodes" in pools.fix) == (2 * 110, True)


def test_connections_are_not_compared_where_no_source_states_the_default() -> None:
    settings = config(**logins(9, 5000))
    assert not [each for each in needs("staging", settings) if "connections" in each.name]


@pytest.mark.parametrize("limit", limits.TABLE, ids=lambda limit: limit.name)
def test_the_table_has_a_source_and_a_fix_for_each_limit(limit: Limit) -> None:
    assert limit.most > 0
    assert limit.source.startswith(("https://cloud.google.com/", "https://kubernetes.io/"))
    assert limit.fix
