"""Properties of resources as the rules see them: plain data, with `UNKNOWN` for values that a preview cannot know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pulumi_policy.proxy import UnknownValueError

from policies.rule import UNKNOWN


def plain(value: Any) -> Any:
    """Properties as plain data, with `UNKNOWN` for unknown values."""
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        return {key: _item(mapping, key) for key in mapping}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_item(value, index) for index in range(len(value))]
    return value


def _item(container: Any, key: Any) -> Any:
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN


def merged(inputs: Any, outputs: Any) -> Any:
    """What is known of a value: the provider's output, else the program's input; None when neither exists."""
    if outputs is None:
        return inputs
    if outputs is UNKNOWN:
        return UNKNOWN if inputs is None else inputs
    if isinstance(inputs, Mapping) and isinstance(outputs, Mapping):
        before, after = cast("Mapping[str, Any]", inputs), cast("Mapping[str, Any]", outputs)
        return {key: merged(before.get(key), after.get(key)) for key in {**before, **after}}
    if isinstance(inputs, list) and isinstance(outputs, list):
        old_items, new_items = cast("list[Any]", inputs), cast("list[Any]", outputs)
        if len(old_items) == len(new_items):
            return [merged(old, new) for old, new in zip(old_items, new_items, strict=True)]
    return outputs


def has_unknown(value: Any) -> bool:
    """Whether plain data contains `UNKNOWN`."""
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in cast("Mapping[str, Any]", value).values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in cast("list[Any]", value))
    return value is UNKNOWN
