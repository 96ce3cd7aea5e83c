"""Checks inputs against a resource's schema, as the real providers do: every mistake at once, with its path."""

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
    """One property that the provider refuses, and why."""

    path: str
    reason: str


class Checker:
    """Checks the inputs of one resource type. `rules` adds the words that a property takes."""

    def __init__(self, schema: ResourceSchema, rules: Mapping[str, Any], objects: Mapping[str, Any]) -> None:
        self._schema, self._rules, self._rule_objects = schema, rules, objects
        self._shapes: dict[str, Callable[[Json, Any, Mapping[str, Any], str], Iterator[Mistake]]] = {
            "enum": self._enum,
            "union": self._union,
            "list": self._list,
            "map": self._map,
            "object": self._named_object,
        }

    def mistakes(self, inputs: Mapping[str, Json]) -> list[Mistake]:
        """Everything that is wrong with the inputs."""
        return list(self._object(inputs, self._schema["inputs"], self._rules, ""))

    def _object(
        self, value: Mapping[str, Json], schema: ObjectSchema, rules: Mapping[str, Any], path: str
    ) -> Iterator[Mistake]:
        known = schema["properties"]
        for key, item in value.items():
            here = f"{path}.{key}" if path else key
            if key.startswith("__"):
                continue  # the engine's own, such as __defaults
            if key not in known:
                yield Mistake(here, f"unknown property{_nearest(key, list(known))}")
                continue
            rule = rules.get(key, {})
            yield from self._value(item, known[key], rule, here)
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
            yield from self._shapes[shape](value, inner, rule, path)

    def _enum(self, value: Json, words: list[Any], _rule: Mapping[str, Any], path: str) -> Iterator[Mistake]:
        if value not in words:
            yield Mistake(path, f"{value!r} is none of {', '.join(map(repr, words))}")

    def _union(self, value: Json, options: list[Any], rule: Mapping[str, Any], path: str) -> Iterator[Mistake]:
        """What any option takes is right; else the option that comes nearest says what is wrong."""
        tries = [list(self._value(value, option, rule, path)) for option in options]
        if all(tries):
            yield from min(tries, key=len)

    def _list(self, value: Json, kind: Any, rule: Mapping[str, Any], path: str) -> Iterator[Mistake]:
        if not isinstance(value, list):
            yield Mistake(path, f"must be a list, not {_named(value)}")
            return
        for index, item in enumerate(value):
            yield from self._value(item, kind, rule, f"{path}[{index}]")

    def _map(self, value: Json, kind: Any, _rule: Mapping[str, Any], path: str) -> Iterator[Mistake]:
        if not isinstance(value, Mapping):
            yield Mistake(path, f"must be a map, not {_named(value)}")
            return
        for key, item in value.items():
            yield from self._value(item, kind, {}, f"{path}.{key}")

    def _named_object(self, value: Json, name: str, rule: Mapping[str, Any], path: str) -> Iterator[Mistake]:
        if not isinstance(value, Mapping):
            yield Mistake(path, f"must be a map, not {_named(value)}")
            return
        nested = self._rule_objects.get(rule.get("object", ""), {})
        yield from self._object(value, self._schema["objects"][name], nested, path)

    def _scalar(self, value: Json, kind: str, rule: Mapping[str, Any], path: str) -> Iterator[Mistake]:
        wrong_bool = isinstance(value, bool) and kind != "boolean"
        if wrong_bool or not isinstance(value, _PYTHON_TYPES[kind]):
            yield Mistake(path, f"must be a {kind}, not {_named(value)}")
        elif (words := rule.get("values")) and isinstance(value, str) and value not in words:
            yield Mistake(path, f"{value!r} is none of {', '.join(words)}{_nearest(value, words)}")


def _named(value: Json) -> str:
    if isinstance(value, Mapping):
        return "a map"
    return "a list" if isinstance(value, list) else f"{type(value).__name__} {value!r}"


def _nearest(word: str, known: Sequence[str]) -> str:
    camel = re.sub(r"_(\w)", lambda match: match.group(1).upper(), word)
    near = [camel] if camel in known else difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""
