"""The golden inventories: what each real stack file makes, resource by resource, for reviewers to see the difference."""

from __future__ import annotations

import re

import pytest
from conftest import Golden
from support.groups import group_stack
from support.inventory import inventory
from support.mocks import Recording
from support.program import run_stack

from infra.layout import STACKS_FOLDER
from infra.stack_name import StackName
from tools.audit import ROOT, audited_stacks

STACKS = ("ci", "staging", "production")


@pytest.mark.parametrize("stack", audited_stacks(ROOT / STACKS_FOLDER))
def test_inventory(stack: str, recordings: dict[str, Recording], golden: Golden) -> None:
    name = StackName.parse(stack)
    own = recordings[name.environment]
    golden(f"{stack}.yaml", inventory(own if name.group is None else group_stack(ROOT, stack, own)))


@pytest.mark.parametrize("stack", STACKS)
def test_every_component_registers_what_it_exposes(stack: str, recordings: dict[str, Recording]) -> None:
    components = recordings[stack].components()
    assert len(components) >= 5
    assert [component.name for component in components if not component.outputs] == []


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_has_an_explicit_provider(stack: str, recordings: dict[str, Recording]) -> None:
    cloud = [
        resource
        for resource in recordings[stack].resources.values()
        if resource.type.startswith(("gcp:", "kubernetes:"))
    ]
    assert len(cloud) > 40
    assert [
        resource.name
        for resource in cloud
        if "::gcp" not in resource.provider and "::kubernetes" not in resource.provider
    ] == []


def test_protections_grow_towards_production(recordings: dict[str, Recording]) -> None:
    guarded = {
        stack: recording.resource("gcp:container/cluster:Cluster", "cluster-cluster").inputs["deletionProtection"]
        for stack, recording in recordings.items()
    }
    assert guarded == {"ci": False, "staging": True, "production": True}


def test_production_alone_has_a_standby_and_static_addresses(recordings: dict[str, Recording]) -> None:
    standby = {
        stack: [
            instance.inputs["settings"]["availabilityType"]
            for instance in recordings[stack].of_type("gcp:sql/databaseInstance:DatabaseInstance").values()
        ]
        for stack in STACKS
    }
    assert standby == {"ci": [], "staging": ["ZONAL"], "production": ["REGIONAL"]}
    addresses = {stack: len(recordings[stack].of_type("gcp:compute/address:Address")) for stack in STACKS}
    assert addresses == {"ci": 0, "staging": 0, "production": 2}


@pytest.mark.parametrize("stack", STACKS)
def test_no_database_is_public_and_no_node_has_an_address(stack: str, recordings: dict[str, Recording]) -> None:
    recording = recordings[stack]
    for instance in recording.of_type("gcp:sql/databaseInstance:DatabaseInstance").values():
        assert instance.inputs["settings"]["ipConfiguration"]["ipv4Enabled"] is False
    pools = recording.of_type("gcp:container/nodePool:NodePool")
    assert pools
    assert all(pool.inputs["networkConfig"] == {"enablePrivateNodes": True} for pool in pools.values())


@pytest.mark.parametrize(("stack", "expected"), [("ci", []), ("staging", ["ci"]), ("production", ["ci"])])
def test_nothing_is_read_but_ci(stack: str, expected: list[str]) -> None:
    assert _stacks_read(stack) == expected


def _stacks_read(stack: str) -> list[str]:
    reads: list[str] = []
    run_stack(stack, reads=reads)
    return reads


@pytest.mark.parametrize("stack", STACKS)
def test_the_readme_shows_how_many_resources_an_environment_has(stack: str, recordings: dict[str, Recording]) -> None:
    shown = re.search(rf"^{stack} +done +(\d+) +(\d+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert shown is not None
    count = sum(resource.custom for resource in recordings[stack].resources.values())
    assert [*map(int, shown.groups())] == [count + len(_stacks_read(stack))] * 2
