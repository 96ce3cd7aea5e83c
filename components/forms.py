"""Forms of text in settings: a pattern, and the same in words for messages, editors and the reference."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import yaml
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from components.yaml_values import ambiguity

_LONGEST_SHOWN = 60


@dataclass(frozen=True)
class TextForm:
    """The form of a text: `Annotated[str, TextForm(PATTERN, WORDS, EXAMPLE)]`.

    Other text is refused with the words and the example. The JSON Schema has the words as `patternErrorMessage`, which
    editors show (https://code.visualstudio.com/docs/languages/json#_json-schemas-and-settings).
    """

    pattern: str
    """A regular expression for all of the text, of the common part of Python's and JSON Schema's syntax."""
    words: str
    """The form in words, to follow "write"."""
    example: str

    @property
    def fix(self) -> str:
        """What to write."""
        return f"write {self.words}, such as {written(self.example)}"

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema of text that has this form."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The JSON Schema with the pattern, its words and the example."""
        return {**handler(schema), "examples": [self.example], "pattern": self.pattern, "patternErrorMessage": self.fix}

    def _checked(self, text: str) -> str:
        if re.fullmatch(self.pattern, text) is None:
            raise ValueError(f"{shown(text)} is not valid; {self.fix}")
        return text


def shown(value: object) -> str:
    """A value of a file as messages show it: as JSON, on one line, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def written(text: str) -> str:
    """Text as it is written in YAML, also in braces: in quotes where a program reads something else without them."""
    try:
        plain = yaml.safe_load(text) == text and yaml.safe_load(f"[{text}]") == [text] and not ambiguity(text)
    except yaml.YAMLError:
        plain = False
    return text if plain else json.dumps(text, ensure_ascii=False)
