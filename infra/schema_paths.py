"""The JSON Schema of one setting, found by its path in a settings model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]


def schema_at(model: type[BaseModel], path: Sequence[str]) -> Schema:
    """The schema of the setting at a path of keys and list indexes; empty where the model has no such setting."""
    root = _whole(model)
    here = root
    for part in path:
        here = _resolved(root, _inner(here, part))
    return here


@cache
def _whole(model: type[BaseModel]) -> Schema:
    return model.model_json_schema()


def _inner(schema: Schema, part: str) -> Schema:
    if part in schema.get("properties", {}):
        return schema["properties"][part]
    for pattern, inner in schema.get("patternProperties", {}).items():
        if re.search(pattern, part):
            return inner
    inner = schema.get("additionalProperties") or schema.get("items")
    return inner if isinstance(inner, dict) else {}


def _resolved(root: Schema, schema: Schema) -> Schema:
    """The schema itself in the place of a reference, and of a choice between it and null."""
    while True:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            schema = {**root["$defs"][name], **{key: value for key, value in schema.items() if key != "$ref"}}
        elif "anyOf" in schema:
            first = next(choice for choice in schema["anyOf"] if choice != {"type": "null"})
            schema = {**{key: value for key, value in schema.items() if key != "anyOf"}, **first}
        else:
            return schema
