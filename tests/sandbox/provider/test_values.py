"""Property values on their way through the providers: nothing is lost, no secret is opened."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atwork.sandbox.provider.values import UNKNOWN, Json, from_struct, is_secret, keep_secret, reveal, secret, to_struct

PLAIN = st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text() | st.just(UNKNOWN)
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3) | inner.map(secret)
    ),
    max_leaves=12,
)
PROPERTIES = st.dictionaries(st.text(max_size=5), VALUES, max_size=4)


@given(PROPERTIES)
def test_a_message_carries_unknowns_and_secrets_at_any_depth(properties: dict[str, Json]) -> None:
    assert from_struct(to_struct(properties)) == properties


def outermost(value: Json) -> Json:
    """The value with no envelope inside an envelope."""
    if is_secret(value):
        return secret(reveal(value))
    if isinstance(value, dict):
        return {key: outermost(item) for key, item in value.items()}
    return [outermost(item) for item in value] if isinstance(value, list) else value


@given(PROPERTIES)
def test_envelopes_come_back_around_revealed_values(properties: dict[str, Json]) -> None:
    assert keep_secret(reveal(properties), properties) == outermost(properties)


@pytest.mark.parametrize(
    ("value", "given_value", "kept"),
    [
        ({"a": "x", "made": 1}, {"a": secret("x")}, {"a": secret("x"), "made": 1}),
        ({"a": {"b": "x"}}, {"a": secret({"b": "x"})}, {"a": secret({"b": "x"})}),
        (["x", "y"], ["x", secret("y")], ["x", secret("y")]),
        (["x", "made"], [secret("x")], secret(["x", "made"])),
        (["x", "made"], ["x"], ["x", "made"]),
        (secret("x"), "x", secret("x")),
    ],
)
def test_an_output_is_as_secret_as_its_input(value: Json, given_value: Json, kept: Json) -> None:
    assert keep_secret(value, given_value) == kept
