"""What messages say of a value that pydantic refuses: what is wrong in words, and what to write."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from components.forms import shown, written
from infra.schema_paths import Schema, schema_at

_TYPES = {
    "string_type": "text",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a map of keys to values",
    "model_type": "a map of keys to values",
    "model_attributes_type": "a map of keys to values",
    "json_invalid": "a map of keys to values",
}
"""Pydantic's errors about a value's type, with the type that is needed.

https://docs.pydantic.dev/latest/errors/validation_errors/
"""
_SIZES = ("too_short", "too_long", "string_too_short", "string_too_long")
_BOUNDS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")


def wrong_value(model: type[BaseModel], problem: ErrorDetails) -> str:
    """What is wrong with a value of a model, and what to write."""
    path = [str(part) for part in problem["loc"] if part != "[key]"]
    kind, value = problem["type"], problem["input"]
    schema, parent = schema_at(model, path), schema_at(model, path[:-1])
    optional = bool(path) and path[-1] in parent.get("properties", {}) and path[-1] not in parent.get("required", ())
    if kind == "missing":
        return f"missing; add it{_such_as(schema)}"
    if "[key]" in problem["loc"] and kind == "literal_error":
        return f"unknown key; write one of {', '.join(parent.get('propertyNames', {}).get('enum', ()))}"
    if kind == "value_error":
        return problem["msg"].removeprefix("Value error, ")
    if value is None:
        return f"is empty; {_fill(schema)}{_or_remove(optional)}"
    if kind in _TYPES:
        return f"must be {_TYPES[kind]}, not {_kind(value)}; {_right_type(schema, value)}"
    if kind == "literal_error":
        return f"{shown(value)} is not possible; write one of {', '.join(_choices(schema))}"
    if kind in _BOUNDS:
        return f"{shown(value)} is out of range; write {_range(schema)}"
    if kind in _SIZES:
        return _size(schema, value, optional=optional)
    if kind.startswith(("date", "timezone")):
        return f"{shown(value)} is not valid; write {_moment(schema)}"
    return f"{shown(value)} is not valid ({problem['msg']}); write {_example(schema)}"


def _kind(value: object) -> str:
    match value:
        case bool():
            return f"{json.dumps(value)}, as YAML reads it"
        case int() | float():
            return f"the number {value}, as YAML reads it"
        case str():
            return f"the text {shown(value)}"
        case list() | tuple():
            return "a list"
        case dict() | BaseModel():
            return "a map"
        case _:
            return shown(value)


def _right_type(schema: Schema, value: Any) -> str:
    """What to write in the place of a value of another type."""
    kind = schema.get("type")
    if kind == "string" and isinstance(value, bool | int | float) and re.search(schema.get("pattern", ""), str(value)):
        return f'put it in quotes: "{shown(value)}"'
    if kind in ("integer", "number") and isinstance(value, str) and value.strip().lstrip("+-").isdecimal():
        return f"remove the quotes: {value.strip()}"
    if kind == "boolean" and str(value).lower() in ("true", "false"):
        return f"remove the quotes: {str(value).lower()}"
    if kind == "array" and not isinstance(value, dict):
        return f"write [{written(value) if isinstance(value, str) else shown(value)}]"
    return _fill(schema)


def _fill(schema: Schema) -> str:
    """What to write for a setting, whatever its value is."""
    match schema.get("type"):
        case "object" if schema.get("required"):
            return f"write its keys {', '.join(schema['required'])}"
        case "object" if "properties" in schema:
            return f"write {{}} for the defaults, or add keys ({', '.join(schema['properties'])})"
        case "object":
            return "write an entry with a name and a value" if schema.get("minProperties") else "write {}"
        case "array":
            return f"write a list, such as [{_example(schema.get('items', {}))}]"
        case "integer" | "number" if "minimum" in schema or "exclusiveMinimum" in schema:
            return f"write {_range(schema)}"
        case _ if choices := _choices(schema):
            return f"write one of {', '.join(choices)}"
        case _ if "patternErrorMessage" in schema:
            return str(schema["patternErrorMessage"])
        case _ if str(schema.get("format", "")).startswith("date"):
            return f"write {_moment(schema)}"
        case _:
            return f"write a value such as {_example(schema)}"


def _or_remove(optional: bool) -> str:  # noqa: FBT001 - the only argument
    return ", or remove the key for the default" if optional else ""


def _such_as(schema: Schema) -> str:
    """An example of a missing setting, or the keys that it needs."""
    if "examples" in schema:
        return f", such as {_example(schema)}"
    if "examples" in schema.get("items", {}):
        return f", such as [{_example(schema['items'])}]"
    return f" with its keys {', '.join(schema['required'])}" if schema.get("required") else ""


def _example(schema: Schema) -> str:
    """A value that a setting can have, as it is written in YAML."""
    by_type = {"string": "text", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
    for value in (*schema.get("examples", ()), *_choices(schema), schema.get("default")):
        if value is not None:
            return _yaml(value)
    return _yaml(by_type.get(str(schema.get("type")), "text"))


def _yaml(value: object) -> str:
    return written(value) if isinstance(value, str) else json.dumps(value)


def _choices(schema: Schema) -> Sequence[str]:
    if schema.get("type") == "boolean":
        return ("true", "false")
    return [_yaml(choice) for choice in schema.get("enum", [schema["const"]] if "const" in schema else [])]


def _range(schema: Schema) -> str:
    match schema:
        case {"minimum": least, "maximum": most}:
            return f"{least} to {most}"
        case {"exclusiveMinimum": bound, "maximum": most}:
            return f"more than {bound}, {most} at most"
        case {"minimum": least}:
            return f"{least} or more"
        case {"exclusiveMinimum": bound}:
            return f"more than {bound}"
        case {"maximum": most}:
            return f"{most} or less"
        case _:
            return "a number"


def _size(schema: Schema, value: Any, *, optional: bool) -> str:
    """What is wrong with a text, list or map that is too short or too long."""
    if not value:
        return f"is empty; {_fill(schema)}{_or_remove(optional)}"
    least = schema.get("minLength") or schema.get("minItems") or schema.get("minProperties") or 0
    most = schema.get("maxLength") or schema.get("maxItems") or schema.get("maxProperties")
    unit = "characters" if isinstance(value, str) else "entries"
    limit = f"at least {least}" if len(value) < least else f"at most {most}"
    return f"is {len(value)} {unit} long; write {limit}"


def _moment(schema: Schema) -> str:
    if schema.get("format") == "date":
        return 'a day in quotes, such as "2027-06-30"'
    return 'a date and time with its time zone in quotes, such as "2027-01-31T18:00:00Z"'
