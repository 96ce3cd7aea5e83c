"""Checks inputs against the schema of a resource as the official providers do: all mistakes at once, with paths."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atwork.sandbox.provider.schema import ObjectSchema, ResourceSchema
from atwork.sandbox.provider.values import Json, is_secret, is_unknown

_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


@dataclass(frozen=True)
class Mistake:
    """A property that the provider refuses, and the reason."""

    path: str
    reason: str


class Checker:
    """Checks the inputs of one resource type. `rules` adds the values that a property allows."""

    def __init__(self, schema: ResourceSchema, rules: Mapping[str, Any], objects: Mapping[str, Any]) -> None:
        self._schema, self._rules, self._rule_objects = schema, rules, objects
        self._checks: dict[str, Callable[[Json, Any, Mapping[str, Any], str], Iterator[Mistake]]] = {
            "enum": self._enum,
            "union": self._union,
            "list": self._list,
            "map": self._map,
            "object": self._object_value,
        }

    def mistakes(self, inputs: Mapping[str, Json]) -> list[Mistake]:
        """All mistakes in the inputs."""
        return list(self._object(inputs, self._schema["inputs"], self._rules, ""))

    def _object(
        self, value: Mapping[str, Json], schema: ObjectSchema, rules: Mapping[str, Any], path: str
    ) -> Iterator[Mistake]:
        known = schema["properties"]
        for key, item in value.items():
            item_path = f"{path}.{key}" if path else key
            if key.startswith("__"):
                continue  # of the engine, such as __defaults
            if key not in known:
                yield Mistake(item_path, f"unknown property{_nearest(key, list(known))}")
                continue
            rule = rules.get(key, {})
            yield from self._value(item, known[key], rule, item_path)
        for key in schema["required"]:
            if value.get(key) is None:
                yield Mistake(f"{path}.{key}" if path else key, "missing required property")

    def _value(self, value: Json, kind: Any, rule: Mapping[str, Any], path: str) -> Iterator[Mistake]:
        if value is None or is_unknown(value) or kind == "any":
            return
        if is_secret(value):
            yield from self._value(value["value"], kind, rule, path)
        elif isinstance(kind, str):
            yield from self._scalar(value, kind, rule, path)
        else:
            shape, inner = next(iter(kind.items()))
            yield from self._checks[shape](value, inner, rule, path)

    def _enum(self, value: Json, allowed: list[Any], _rule: Mapping[str, Any], path: str) -> Iterator[Mistake]:
        if value not in allowed:
            yield Mistake(path, f"{value!r} is not one of {', '.join(map(repr, allowed))}")

    def _union(self, value: Json, options: list[Any], rule: Mapping[str, Any], path: str) -> Iterator[Mistake]:
        """A value is valid if one option allows it; else the mistakes of the closest option are reported."""
        mistakes = [list(self._value(value, option, rule, path)) for option in options]
        if all(mistakes):
            yield from min(mistakes, key=len)

    def _list(self, value: Json, kind: Any, rule: Mapping[str, Any], path: str) -> Iterator[Mistake]:
        if not isinstance(value, list):
            yield Mistake(path, f"must be a list, not {_describe(value)}")
            return
        for index, item in enumerate(value):
            yield from self._value(item, kind, rule, f"{path}[{index}]")

    def _map(self, value: Json, kind: Any, _rule: Mapping[str, Any], path: str) -> Iterator[Mistake]:
        if not isinstance(value, Mapping):
            yield Mistake(path, f"must be a map, not {_describe(value)}")
            return
        for key, item in value.items():
            yield from self._value(item, kind, {}, f"{path}.{key}")

    def _object_value(self, value: Json, name: str, rule: Mapping[str, Any], path: str) -> Iterator[Mistake]:
        if not isinstance(value, Mapping):
            yield Mistake(path, f"must be a map, not {_describe(value)}")
            return
        nested = self._rule_objects.get(rule.get("object", ""), {})
        yield from self._object(value, self._schema["objects"][name], nested, path)

    def _scalar(self, value: Json, kind: str, rule: Mapping[str, Any], path: str) -> Iterator[Mistake]:
        wrong_bool = isinstance(value, bool) and kind != "boolean"
        if wrong_bool or not isinstance(value, _PYTHON_TYPES[kind]):
            yield Mistake(path, f"must be a {kind}, not {_describe(value)}")
        elif (allowed := rule.get("values")) and isinstance(value, str) and value not in allowed:
            yield Mistake(path, f"{value!r} is not one of {', '.join(allowed)}{_nearest(value, allowed)}")


def _describe(value: Json) -> str:
    if isinstance(value, Mapping):
        return "a map"
    return "a list" if isinstance(value, list) else f"{type(value).__name__} {value!r}"


def _nearest(word: str, known: Sequence[str]) -> str:
    camel = re.sub(r"_(\w)", lambda match: match.group(1).upper(), word)
    near = [camel] if camel in known else difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""
