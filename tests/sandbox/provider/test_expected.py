"""What a preview tells of outputs: nothing that only the cloud knows, at any depth, and nothing that may change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2
from support.simulation import Provider, minimal, providers

from atwork.sandbox.provider import schema
from atwork.sandbox.provider.gcp.outputs import COMPUTED
from atwork.sandbox.provider.gcp.package import GoogleCloud
from atwork.sandbox.provider.package import ResourceRequest
from atwork.sandbox.provider.preview import expected_outputs
from atwork.sandbox.provider.values import UNKNOWN, from_struct, reveal, secret, to_struct

CLUSTER = "gcp:container/cluster:Cluster"
REPOSITORY = "gcp:artifactregistry/repository:Repository"
SERVICE = "kubernetes:core/v1:Service"
OTHERS = [entry for entry in schema.tokens("gcp")[::21] if not entry.startswith("gcp:monitoring/")]
"""Types without computed outputs of their own; of monitoring's the smallest inputs are refused."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Provider]]:
    path: Path = tmp_path_factory.mktemp("cloud") / "cloud.sqlite"
    with providers(path) as served:
        yield served


def leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Every value that is no map, by its path."""
    if not isinstance(value, Mapping):
        return {path: value}
    return {key: leaf for name, item in value.items() for key, leaf in leaves(item, (*path, str(name))).items()}


def preview_update(provider: Provider, token: str, news: dict[str, Any], olds: dict[str, Any]) -> dict[str, Any]:
    answer = provider.stub.Update(
        provider_pb2.UpdateRequest(
            urn=provider.urn(token, "it"), id=olds["id"], olds=to_struct(olds), news=to_struct(news), preview=True
        )
    )
    return from_struct(answer.properties)


@pytest.mark.parametrize("token", [*OTHERS, *COMPUTED])
def test_known_outputs_in_the_preview_of_a_create_are_those_of_the_create(
    token: str, cloud: dict[str, Provider]
) -> None:
    _, reported = cloud["gcp"].create(token, "it", minimal(token), preview=True)
    checked, _ = cloud["gcp"].check(token, "it", minimal(token))
    config = {"project": "acme", "region": "europe-west1"}
    there = GoogleCloud().outputs(ResourceRequest(token, cloud["gcp"].urn(token, "it"), config, checked), "an/id")
    foreseen, given = leaves(reported), leaves(checked)
    for path, value in leaves(there).items():
        known = next((foreseen[path[:end]] for end in range(1, len(path) + 1) if path[:end] in foreseen), UNKNOWN)
        assert known == (value if path in given else UNKNOWN), path


def test_the_address_of_a_new_cluster_is_unknown_in_a_preview(cloud: dict[str, Provider]) -> None:
    inputs = {
        "name": "c",
        "location": "europe-west1",
        "network": UNKNOWN,
        "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": True}},
    }
    for network in (UNKNOWN, "projects/acme/global/networks/n"):
        _, reported = cloud["gcp"].create(CLUSTER, "c", {**inputs, "network": network}, preview=True)
        assert reported["controlPlaneEndpointsConfig"]["dnsEndpointConfig"] == {
            "allowExternalTraffic": True,
            "endpoint": UNKNOWN,
        }
        assert (reported["name"], reported["network"], reported["endpoint"], reported["masterAuth"]) == (
            "c",
            network,
            *2 * (UNKNOWN,),
        )
    for unknown in (UNKNOWN, {"dnsEndpointConfig": UNKNOWN}):
        _, reported = cloud["gcp"].create(
            CLUSTER, "c", {**inputs, "controlPlaneEndpointsConfig": unknown}, preview=True
        )
        assert reported["controlPlaneEndpointsConfig"] == unknown


def test_fields_that_the_server_sets_on_a_new_object_are_unknown_in_a_preview(cloud: dict[str, Provider]) -> None:
    inputs = {"metadata": {"name": "s"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}
    _, reported = cloud["kubernetes"].create(SERVICE, "s", inputs, preview=True)
    assert (reported["metadata"]["name"], reported["metadata"]["namespace"]) == ("s", "default")
    assert reported["metadata"]["uid"] == reported["spec"]["clusterIP"] == reported["status"] == UNKNOWN
    assert (reported["spec"]["type"], reported["spec"]["ports"]) == ("LoadBalancer", [{"port": 80}])


def test_outputs_that_an_update_cannot_change_are_known(cloud: dict[str, Provider]) -> None:
    inputs = {"name": "d", "location": "europe-west1", "deletionProtection": False}
    identity, olds = cloud["gcp"].create(CLUSTER, "d", inputs)
    reported = preview_update(cloud["gcp"], CLUSTER, {**inputs, "description": "x"}, {**olds, "id": identity})
    assert {key: reported[key] for key in olds} == olds
    assert reported["description"] == "x"


def test_outputs_that_an_update_may_change_are_unknown(cloud: dict[str, Provider]) -> None:
    inputs = {"repositoryId": "r", "location": "europe", "format": "DOCKER", "labels": {"a": "b"}}
    identity, olds = cloud["gcp"].create(REPOSITORY, "r", inputs)
    olds |= {"id": identity}
    for labels in (UNKNOWN, {"a": UNKNOWN}, {"a": "b", "c": UNKNOWN}, {}):
        reported = preview_update(cloud["gcp"], REPOSITORY, {**inputs, "labels": labels}, olds)
        assert (reported["labels"], reported["effectiveLabels"]) == (labels, UNKNOWN)
    reported = preview_update(cloud["gcp"], REPOSITORY, {**inputs, "description": "x"}, olds)
    assert reported["effectiveLabels"] == olds["effectiveLabels"]
    assert preview_update(cloud["gcp"], REPOSITORY, {**inputs, "location": UNKNOWN}, olds)["registryUri"] == UNKNOWN
    moved = preview_update(cloud["gcp"], REPOSITORY, {**inputs, "location": "us"}, olds)
    assert (moved["registryUri"], moved["location"]) == (UNKNOWN, "us")


@pytest.mark.parametrize(
    ("given", "answered", "before", "reported"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, {}, {"a": 1, "b": UNKNOWN, "c": UNKNOWN}),
        ({"a": 1}, {"a": 1, "b": 2}, {"a": 0, "b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": 1, "b": 2}, {"a": 0, "b": 3}, {"a": 1, "b": UNKNOWN}),
        ({"a": 1}, {"a": 2}, {"a": 1}, {"a": UNKNOWN}),
        ({"a": {"x": 1}}, {"a": {"x": 1, "y": 2}}, {"a": {"y": 2}}, {"a": {"x": 1, "y": 2}}),
        ({}, {"a": {"x": 1, "y": 2}}, {"a": {"x": 1, "y": 3}}, {"a": UNKNOWN}),
        ({}, {"a": {"x": 1}}, {"b": 1}, {"a": UNKNOWN}),
        (
            {"a": secret({"x": "s"})},
            {"a": {"x": "s", "y": 2}},
            {},
            {"a": secret({"x": "s", "y": UNKNOWN}), "c": UNKNOWN},
        ),
        ({"a": {"x": "s"}}, {"a": secret({"x": "s"})}, {"a": secret({"x": "s"})}, {"a": secret({"x": "s"})}),
    ],
)
def test_outputs_of_a_preview(given: Any, answered: Any, before: Any, reported: Any) -> None:
    assert expected_outputs(given, answered, before, ["a", "c"]) == reported


@pytest.mark.parametrize("token", [*COMPUTED, SERVICE, "kubernetes:core/v1:Secret"])
def test_any_input_may_be_unknown(token: str, cloud: dict[str, Provider]) -> None:
    provider = cloud[token.partition(":")[0]]
    for key in schema.resource(token)["inputs"]["properties"]:
        _, reported = provider.create(token, "it", {**minimal(token), key: UNKNOWN}, preview=True)
        assert reveal(reported[key]) == UNKNOWN
