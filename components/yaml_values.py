"""Values without quotes that YAML 1.1 and YAML 1.2 read differently: `10:00`, `yes`, `010`, `1_000`, `1e3`.

PyYAML follows YAML 1.1 (https://yaml.org/type/), editors and many programs the core schema of YAML 1.2
(https://yaml.org/spec/1.2.2/#103-core-schema), and the engine's library a mixture of both.
"""

from __future__ import annotations

import json
import re
from functools import cache

import yaml

_PLAIN_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_SUSPECTS = re.compile(r"[-+.0-9]|(yes|no|on|off)$", re.IGNORECASE)
"""Only text that begins so is read differently."""


@cache
def ambiguity(text: str) -> str:
    """What is wrong with a value without quotes, and what to write; empty for a value that has one meaning."""
    if not _SUSPECTS.match(text) or _PLAIN_INTEGER.fullmatch(text):
        return ""
    if _NO_NUMBER.fullmatch(text):
        return f'is no number that JSON has; write a number, or "{text}" in quotes'
    old, new = _read_by_1_1(text), _read_by_1_2(text)
    if (type(old), old) == (type(new), new):
        return ""
    choices = dict.fromkeys(json.dumps(value) for value in (*(item for item in (old, new) if item != text), text))
    return f"{text} is {_kind(old)} in YAML 1.1 and {_kind(new)} in YAML 1.2; write {' or '.join(choices)}"


def _read_by_1_1(text: str) -> object:
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text
    return value if isinstance(value, bool | int | float) else text


def _read_by_1_2(text: str) -> object:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, base=0)
    return float(text) if _FLOAT.fullmatch(text) else text


def _kind(value: object) -> str:
    return "text" if isinstance(value, str) else json.dumps(value)
