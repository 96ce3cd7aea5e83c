"""A network of somebody else: what a stack file may say of it, and what the program declares in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from support import networks
from support.mocks import Recording
from support.networks import EXISTING, HOST, NETWORK, SUBNETWORK
from support.program import run_stack

from infra.config import parse, read_all
from infra.environment_rules import check_together
from infra.errors import ConfigError
from infra.needs import needs

OF_THE_NETWORK = ("gcp:compute/", "gcp:dns/", "gcp:networkconnectivity/")
CLUSTER = "gcp:container/cluster:Cluster"
INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"


@pytest.fixture(scope="module")
def shared() -> Recording:
    return run_stack("staging", {"network": {**networks.SHARED, "extra_pods": {"staging-pods-2": "10.80.0.0/16"}}})


def private_endpoint(recording: Recording) -> dict[str, Any]:
    [instance] = recording.of_type(INSTANCE).values()
    [psc] = instance.inputs["settings"]["ipConfiguration"]["pscConfigs"]
    return dict(psc)


def test_the_program_creates_nothing_in_it(shared: Recording) -> None:
    way_in = ("gateway-", "preview-hosts-", "service-")  # of the environment's own project, in any network
    created = {item.type for item in shared.resources.values() if not item.name.startswith(way_in)}
    assert {kind for kind in created if kind.startswith(OF_THE_NETWORK)} == set()
    own = {resource.type for resource in run_stack("staging").resources.values()}
    assert {kind for kind in own if kind.startswith(OF_THE_NETWORK)}, "the prefixes name nothing"


def test_the_cluster_is_in_the_named_subnet_and_ranges(shared: Recording) -> None:
    [cluster] = shared.of_type(CLUSTER).values()
    assert (cluster.inputs["network"], cluster.inputs["subnetwork"]) == (NETWORK, SUBNETWORK)
    assert cluster.inputs["ipAllocationPolicy"] == {
        "clusterSecondaryRangeName": "staging-pods",
        "stackType": "IPV4",
        "additionalPodRangesConfig": {"podRangeNames": ["staging-pods-2"]},
    }


def test_databases_get_their_endpoint_in_the_network_of_the_host_project(shared: Recording) -> None:
    psc = private_endpoint(shared)
    assert psc["allowedConsumerProjects"] == ["acme-at-work-staging", HOST]
    assert psc["pscAutoConnections"] == [
        {"consumerNetwork": NETWORK, "consumerServiceProjectId": "acme-at-work-staging"}
    ]


def test_a_network_of_the_own_project_needs_no_other_project() -> None:
    existing = {key: value for key, value in EXISTING.items() if key != "project"}
    recording = run_stack("staging", {"network": {**networks.SHARED, "existing": existing}})
    [cluster] = recording.of_type(CLUSTER).values()
    assert cluster.inputs["network"] == "projects/acme-at-work-staging/global/networks/shared-vpc"
    assert private_endpoint(recording)["allowedConsumerProjects"] == ["acme-at-work-staging"]


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({"nat": {"static_addresses": 1}}, r"network: nat is decided by the owner of the network in existing; remove"),
        ({"flow_logs": {}}, r"flow_logs is decided by the owner"),
        ({"dns_logs": True}, r"dns_logs is decided by the owner"),
        ({"database_endpoints": 8}, r"database_endpoints is decided by the owner"),
        ({"extra_pods": {"staging-pods": "10.80.0.0/16"}}, r"extra_pods\.staging-pods is the range of pods already"),
        ({"existing": {**EXISTING, "network": "default"}}, r"existing\.network: default is the network that Google"),
        ({"existing": {**EXISTING, "network": NETWORK}}, r"existing\.network: .* is not valid; write a name .*/, such"),
        ({"existing": {**EXISTING, "subnetwork": SUBNETWORK}}, r"existing\.subnetwork: .* without projects/"),
        ({"existing": {"network": "shared-vpc"}}, r"existing\.subnetwork: missing; add it"),
    ],
)
def test_what_the_owner_decides_and_what_is_no_name_is_refused(network: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse("staging", json.dumps(networks.settings(**network)))


def test_an_ephemeral_environment_has_its_own_network() -> None:
    times = {"created_at": "2027-01-28T18:00:00Z", "expires_at": "2027-01-31T18:00:00Z"}
    settings: dict[str, Any] = networks.settings() | {
        "environment": {"kind": "ephemeral", "owner": "me", **times},
        "encryption": {"covers": []},
        "preview_namespaces": None,
    }
    del settings["gateway"], settings["monitoring"]
    settings["cluster"]["deletion_protection"] = settings["databases"]["main"]["deletion_protection"] = False
    with pytest.raises(ConfigError, match=r"leave network\.existing out, and it creates its own"):
        parse("staging", json.dumps(settings))
    assert parse("staging", json.dumps(settings | {"network": networks.RANGES}))


def in_one_subnet(**other: str) -> Iterator[str]:
    """Mistakes where production is in the subnet of staging."""
    production = networks.settings("production", **{"pods": "10.66.0.0/16", **other})
    shared = {"staging": networks.settings(), "production": production}
    parsed = {name: parse(name, json.dumps(value)) for name, value in shared.items()}
    try:
        check_together({**read_all(), **parsed})
    except ConfigError as error:
        yield from str(error).splitlines()


def test_environments_may_share_a_subnet_and_never_a_range_of_pods() -> None:
    assert list(in_one_subnet()) == []
    [mistake] = in_one_subnet(nodes="10.0.16.0/21")
    assert "network.nodes: 10.0.16.0/21 overlaps nodes 10.0.16.0/20 of staging" in mistake
    [mistake] = in_one_subnet(pods="10.65.0.0/17")
    assert "network.pods: 10.65.0.0/17 overlaps pods 10.65.0.0/16 of staging" in mistake


def test_the_subnet_holds_the_nodes_and_its_owner_counts_the_endpoints() -> None:
    config = parse("staging", json.dumps(networks.settings()))
    [need] = [need for need in needs("staging", config) if "addresses of network.nodes" in need.name]
    own = parse("staging", json.dumps(networks.settings(existing=None)))
    [with_endpoints] = [need for need in needs("staging", own) if "addresses of network.nodes" in need.name]
    assert need.count == with_endpoints.count - own.network.database_endpoints - own.network.redis_endpoints
    assert "endpoints" not in need.name
