"""The JSON Schemas of stack files, platform.yaml and services, generated from the settings models for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from infra import CONFIG_KEY
from infra.company import CompanySettings
from infra.config import STACKS
from infra.layout import SERVICES_FOLDER
from infra.reference.page import pages
from infra.services import ServiceSettings
from infra.stack import StackConfig

SERVICES = STACKS.parent / SERVICES_FOLDER


def stack_file() -> dict[str, Any]:
    """Schema of a stack file: our key strictly, Pulumi's own lines by name."""
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


def service() -> dict[str, Any]:
    """Schema of a file of the catalog."""
    schema = ServiceSettings.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "A service of atwork"}


def company_file() -> dict[str, Any]:
    """Schema of stacks/platform.yaml."""
    schema = CompanySettings.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "The company's settings of atwork",
    }


def texts() -> dict[Path, str]:
    """The schema files and their content."""
    schemas = {
        STACKS / "schema.json": stack_file(),
        STACKS / "platform.schema.json": company_file(),
        SERVICES / "schema.json": service(),
    }
    return {path: json.dumps(schema, indent=2) + "\n" for path, schema in schemas.items()}


def main(*, write: bool) -> None:
    """Print the schemas, or rewrite their files and the pages of the settings reference."""
    if not write:
        print("".join(texts().values()), end="")
        return
    for path, text in {**texts(), **pages()}.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
