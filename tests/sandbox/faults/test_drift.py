"""Objects of the simulated clouds, changed and deleted behind Pulumi's back."""

from __future__ import annotations

from pathlib import Path

import pytest

from atwork.errors import UsageError, UserError
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.faults.drift import edit, find
from atwork.sandbox.faults.type_names import token_of
from atwork.sandbox.provider.values import secret

POOL = "gcp:container/nodePool:NodePool"


def pool(name: str = "pools-agents", **inputs: object) -> CloudObject:
    return CloudObject("", POOL, f"c/nodePools/{name}", f"urn:pulumi:ci::atwork::{POOL}::{name}", inputs, {**inputs})


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    created = Cloud(tmp_path / "cloud.sqlite")
    for name in ("pools-agents", "pools-system"):
        created.create(pool(name), {"c"})
    return created


def test_an_object_is_selected_by_its_name_in_the_program(cloud: Cloud) -> None:
    assert find(cloud, "ci", "pools-system").id == "c/nodePools/pools-system"


@pytest.mark.parametrize(
    ("stack", "name", "reported"),
    [
        ("ci", "pool-agents", "pool-agents: ci has no object of that name; did you mean pools-agents"),
        ("ci", "zzz", "`pulumi stack -s ci --show-urns` lists them"),
        ("staging", "pools-agents", "run `atwork sandbox up staging` first"),
    ],
)
def test_the_error_for_an_unknown_object_lists_the_known_ones(
    cloud: Cloud, stack: str, name: str, reported: str
) -> None:
    with pytest.raises(UserError, match=reported):
        find(cloud, stack, name)


def test_drift_changes_inputs_and_outputs_and_keeps_references(cloud: Cloud) -> None:
    edited, before = edit(pool(autoscaling={"totalMaxNodeCount": 8}), "autoscaling.totalMaxNodeCount", 50)
    assert before == 8
    cloud.edit(edited)
    result = cloud.get("", POOL, edited.id)
    assert result is not None
    assert result.inputs["autoscaling"] == result.outputs["autoscaling"] == {"totalMaxNodeCount": 50}
    assert (POOL, edited.id) in cloud.referrers("c")


def test_lists_are_changed_by_index() -> None:
    edited, _ = edit(pool(nodeLocations=["a", "b"]), "nodeLocations.1", "c")
    assert edited.inputs["nodeLocations"] == ["a", "c"]
    with pytest.raises(UsageError, match="2 is no index of a list of 2"):
        edit(pool(nodeLocations=["a", "b"]), "nodeLocations.2", "c")
    with pytest.raises(UsageError, match="'x' has no deep"):
        edit(pool(version="x"), "version.deep", "c")


def test_the_error_for_an_unknown_property_suggests_the_nearest() -> None:
    with pytest.raises(UsageError, match="has no property autoscalin; did you mean autoscaling"):
        edit(pool(), "autoscalin.x", 1)


def test_a_secret_value_stays_secret_and_is_not_shown() -> None:
    edited, before = edit(pool(version=secret("old")), "version", "new")
    assert edited.inputs["version"] == secret("new")
    assert before == "[secret]"


def test_types_are_selected_by_their_last_part() -> None:
    assert token_of("DatabaseInstance") == "gcp:sql/databaseInstance:DatabaseInstance"
    assert token_of(POOL) == POOL
    assert token_of("") == ""
    with pytest.raises(UsageError, match="did you mean DatabaseInstance"):
        token_of("DatabseInstance")
    assert token_of("NodePool") == POOL
    with pytest.raises(UsageError, match="say which: gcp:secretmanager/secret:Secret, kubernetes:core/v1:Secret"):
        token_of("Secret")
