"""Parts of a URN."""

from __future__ import annotations

import pytest

from atwork.engine.urn import child_of, name_of, provider_of, root_of, stack_of, type_of, without_name

POOL = "urn:pulumi:ci::atwork::atwork:cluster:Cluster$gcp:container/nodePool:NodePool::pools-system"


@pytest.mark.parametrize(
    ("urn", "stack", "kind", "name"),
    [
        (POOL, "ci", "gcp:container/nodePool:NodePool", "pools-system"),
        ("urn:pulumi:ci::atwork::gcp:dns/recordSet:RecordSet::a::b", "ci", "gcp:dns/recordSet:RecordSet", "a::b"),
        ("", "", "", ""),
        ("bootstrap", "bootstrap", "", "bootstrap"),
    ],
)
def test_the_parts(urn: str, stack: str, kind: str, name: str) -> None:
    assert (stack_of(urn), type_of(urn), name_of(urn)) == (stack, kind, name)


def test_what_is_before_the_name() -> None:
    assert f"{without_name(POOL)}::pools-system" == POOL


def test_the_provider_of_a_reference() -> None:
    provider = "urn:pulumi:ci::atwork::pulumi:providers:gcp::google"
    assert provider_of(f"{provider}::5a4b8f1e-0d3c-4c6e-9f67-1f1c0a3c9d5e") == provider
    assert provider_of("") == ""


def test_a_child_has_the_types_of_its_parents_except_that_of_the_stack() -> None:
    cluster = child_of(root_of("ci", "atwork"), "atwork:cluster:Cluster", "pools")
    assert root_of("ci", "atwork") == "urn:pulumi:ci::atwork::pulumi:pulumi:Stack::atwork-ci"
    assert cluster == "urn:pulumi:ci::atwork::atwork:cluster:Cluster::pools"
    assert child_of(cluster, "gcp:container/nodePool:NodePool", "pools-system") == POOL
