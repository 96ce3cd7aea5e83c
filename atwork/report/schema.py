"""The JSON Schema of a report, for programs that read `report-STACK.json` or `atwork preview --format json`."""

from __future__ import annotations

import json
from pathlib import Path

from atwork.report.model import VERSION, StackReport

PATH = Path(__file__).parents[2] / "docs" / "report.schema.json"


def text() -> str:
    """What the file should be."""
    schema = StackReport.model_json_schema(mode="serialization")
    schema["properties"]["version"]["const"] = VERSION
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "The report of one stack"}
    return json.dumps({**schema, **head}, indent=2, ensure_ascii=False) + "\n"


def main(*, write: bool) -> None:
    """Print it, or rewrite the file."""
    if write:
        PATH.write_text(text())
    else:
        print(text(), end="")
