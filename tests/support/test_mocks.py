"""What `record` adds to the SDK's mocks."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest
from support.mocks import record, unchanged


class Pair(pulumi.ComponentResource):
    """A network and an address, and the address's id as output."""

    def __init__(self, name: str) -> None:
        super().__init__("atwork:test:Pair", name, {})
        network = gcp.compute.Network(f"{name}-network", mtu=1460, opts=pulumi.ResourceOptions(parent=self))
        address = gcp.compute.Address(
            f"{name}-address",
            region="europe-west1",
            labels={"secret": pulumi.Output.secret("s3cret")},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[network], protect=True, retain_on_delete=True),
        )
        self.register_outputs({"address": address.address})


def _address(token: str, _name: str, _inputs: dict[str, Any]) -> dict[str, Any]:
    return {"address": "10.0.0.9"} if token.endswith(":Address") else {}


def test_options_outputs_and_whole_numbers_are_kept() -> None:
    recording = record(lambda: Pair("a"), outputs=_address)
    network = recording.resource("gcp:compute/network:Network", "a-network")
    address = recording.resource("gcp:compute/address:Address", "a-address")
    (pair,) = recording.components()
    assert (network.inputs["mtu"], type(network.inputs["mtu"])) == (1460, int)
    assert (address.protect, address.retain_on_delete, network.protect) == (True, True, False)
    assert address.depends_on == (network.urn,)
    assert address.parent == pair.urn
    assert pair.outputs == {"address": "10.0.0.9"}


def test_secrets_are_plain_to_assert_on() -> None:
    recording = record(lambda: Pair("a"))
    assert recording.resource("gcp:compute/address:Address", "a-address").inputs["labels"] == {"secret": "s3cret"}


def test_two_runs_are_the_same_and_apart() -> None:
    first, second = record(lambda: Pair("a")), record(lambda: Pair("a"))
    assert first.resources is not second.resources
    assert list(first.resources) == list(second.resources)


def test_data_sources_are_refused() -> None:
    def program() -> None:
        pulumi.export("number", gcp.organizations.get_project_output().number)

    with pytest.raises(AssertionError, match="getProject is a data source"):
        record(program)


def test_exceptions_of_the_program_come_through() -> None:
    def program() -> None:
        raise pulumi.RunError("the stack file is wrong")

    with pytest.raises(pulumi.RunError, match="the stack file is wrong"):
        record(program)


def test_a_missing_resource_names_those_there_are() -> None:
    with pytest.raises(KeyError, match="there are a-network"):
        record(lambda: Pair("a")).resource("gcp:compute/network:Network", "b-network")


def test_a_change_of_what_tests_share_is_named() -> None:
    with unchanged({"ci": record(lambda: Pair("a"))}):
        pass
    with (
        pytest.raises(AssertionError, match=r"copy it first: ci: a-network$"),
        unchanged({"ci": record(lambda: Pair("a"))}) as recordings,
    ):
        recordings["ci"].resource("gcp:compute/network:Network", "a-network").inputs["mtu"] = 1500
    with (
        pytest.raises(AssertionError, match=r"copy it first: ci: its outputs$"),
        unchanged({"ci": record(lambda: Pair("a"))}) as recordings,
    ):
        recordings["ci"].exports["network"] = "a"
