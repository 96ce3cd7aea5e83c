"""Properties of resources as the rules see them: plain data, `UNKNOWN` where a preview cannot know a value yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pulumi_policy.proxy import UnknownValueError

from policies.rule import UNKNOWN


def plain(value: Any) -> Any:
    """Properties as plain data: unknowns as `UNKNOWN`."""
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        return {key: _known(mapping, key) for key in mapping}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_known(value, index) for index in range(len(value))]
    return value


def _known(container: Any, key: Any) -> Any:
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN


def merged(inputs: Any, outputs: Any) -> Any:
    """What is known of a value: what the provider answered, else what the program says; None where neither has it."""
    if outputs is None:
        return inputs
    if outputs is UNKNOWN:
        return UNKNOWN if inputs is None else inputs
    if isinstance(inputs, Mapping) and isinstance(outputs, Mapping):
        given, answered = cast("Mapping[str, Any]", inputs), cast("Mapping[str, Any]", outputs)
        return {key: merged(given.get(key), answered.get(key)) for key in {**given, **answered}}
    if isinstance(inputs, list) and isinstance(outputs, list):
        items, answers = cast("list[Any]", inputs), cast("list[Any]", outputs)
        if len(items) == len(answers):
            return [merged(item, answer) for item, answer in zip(items, answers, strict=True)]
    return outputs


def has_unknown(value: Any) -> bool:
    """Whether anything in plain data is `UNKNOWN`."""
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in cast("Mapping[str, Any]", value).values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in cast("list[Any]", value))
    return value is UNKNOWN
