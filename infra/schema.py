"""The JSON Schema of the stack files, generated from the settings models for editors."""

from __future__ import annotations

import json
from typing import Any

from infra import CONFIG_KEY
from infra.config import STACKS, StackConfig

SCHEMA = STACKS / "schema.json"


def schema() -> dict[str, Any]:
    """Schema of a whole stack file: our key strictly, Pulumi's own lines by name."""
    settings = StackConfig.model_json_schema()
    definitions = settings.pop("$defs")
    config = {
        "type": "object",
        "required": [CONFIG_KEY],
        "additionalProperties": False,
        "properties": {CONFIG_KEY: settings, "pulumi:disable-default-providers": {"const": ["*"]}},
    }
    own = {key: {"type": "string"} for key in ("secretsprovider", "encryptedkey", "encryptionsalt")}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack file of atwork",
        "type": "object",
        "required": ["config"],
        "additionalProperties": False,
        "properties": {**own, "config": config},
        "$defs": definitions,
    }


def text() -> str:
    """The schema as the file has it."""
    return json.dumps(schema(), indent=2) + "\n"


def main(*, write: bool) -> None:
    """Print it, or rewrite the file."""
    if write:
        SCHEMA.write_text(text())
    else:
        print(text(), end="")
