"""Which calls a fault waits for, and what it refuses to be."""

from __future__ import annotations

from typing import Any

import pytest

from atwork.errors import UsageError
from atwork.sandbox.faults.commands import describe, parse
from atwork.sandbox.faults.model import Call

POOL = "gcp:container/nodePool:NodePool"
URN = f"urn:pulumi:ci::atwork::atwork:nodes:Pools${POOL}::pools-agents"


def call(urn: str = URN, operation: str = "create") -> Call:
    return Call(operation, urn)


def test_a_call_has_the_stack_type_and_name_of_its_urn() -> None:
    assert (call().stack, call().type, call().name) == ("ci", POOL, "pools-agents")
    assert call("urn:pulumi:ci::atwork::a:b:C::x::y").name == "x::y"


@pytest.mark.parametrize(
    ("words", "met"),
    [
        ({}, True),
        ({"operation": "any"}, True),
        ({"operation": "delete"}, False),
        ({"type": POOL}, True),
        ({"type": "gcp:container/cluster:Cluster"}, False),
        ({"name": "pools-*"}, True),
        ({"name": "*::pools-agents"}, True),
        ({"name": "pool"}, False),
        ({"stack": "ci"}, True),
        ({"stack": "c"}, False),
    ],
)
def test_every_part_of_a_fault_restricts_the_calls(words: dict[str, Any], *, met: bool) -> None:
    assert parse({"effect": "fail", **words}).matches(call()) is met


def test_an_unreachable_api_server_affects_no_call_of_google_cloud() -> None:
    gone = parse({"effect": "unreachable", "operation": "any", "stack": "ci", "always": True})
    assert not gone.matches(call())
    assert gone.matches(call("urn:pulumi:ci::atwork::kubernetes:core/v1:Namespace::tenant"))


def test_a_fault_hits_the_nth_call_or_always_from_the_nth_on() -> None:
    once, always = parse({"effect": "fail", "nth": 2}), parse({"effect": "fail", "nth": 2, "always": True})
    assert [once.hits(seen) for seen in (1, 2, 3)] == [False, True, False]
    assert [always.hits(seen) for seen in (1, 2, 3)] == [False, True, True]
    assert describe(once) == "fail the 2nd create"
    assert describe(always) == "fail the 2nd create and all after it,"


@pytest.mark.parametrize(
    ("words", "reported"),
    [
        ({"effect": "fail", "seconds": 3}, "--seconds: fail has no duration"),
        ({"effect": "slow", "message": "no"}, "--message: slow causes no error"),
        ({"effect": "partial", "operation": "delete"}, "--on delete: partial needs an object"),
        ({"effect": "unreachable"}, "--stack: an API server belongs to an environment"),
        ({"effect": "fail", "nth": 0}, "--nth: Input should be greater than or equal to 1"),
        ({"effect": "explode"}, "--effect: Input should be"),
    ],
)
def test_the_error_for_an_invalid_fault_names_the_option(words: dict[str, Any], reported: str) -> None:
    with pytest.raises(UsageError, match=reported):
        parse(words)
