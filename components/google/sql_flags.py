"""Database flags of Cloud SQL: whether a version has a flag and takes a value."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from components.google import nearest
from components.google.tables import REFRESH, table


def is_listed(version: str, flag: str) -> bool:
    """Whether a flag is known; one that is not can be newer than the list."""
    return flag in table("sql_flags")["flags"][_engine(version)]


def mistake(version: str, flag: str, value: str) -> str:
    """Why Cloud SQL refuses a flag of a version, such as POSTGRES_18, with the fix; "" if it takes it.

    A flag that is not in the list is accepted unless it misspells one: the list can be older than the flag.
    """
    flags: Mapping[str, Any] = table("sql_flags")["flags"][_engine(version)]
    if flag not in flags:
        return _unlisted_mistake(version, flag, flags)
    entries: list[dict[str, Any]] = flags[flag] if isinstance(flags[flag], list) else [flags[flag]]
    entry = next((entry for entry in entries if version in entry.get("versions", (version,))), None)
    if entry is None:
        versions = ", ".join(sorted({version for entry in entries for version in entry["versions"]}))
        return f"{version} has no flag {flag}, {versions} have it; remove it ({REFRESH})"
    return _value_mistake(flag, value, entry)


def _engine(version: str) -> str:
    return version.partition("_")[0]


def _unlisted_mistake(version: str, flag: str, flags: Mapping[str, Any]) -> str:
    engine = _engine(version)
    settings: list[str] = table("sql_flags")["settings_of_the_engine"][engine]
    if not re.fullmatch(r"[a-z][a-z0-9_.]*", flag):
        return f'"{flag}" is no name of a flag: lower-case letters, digits, underscores and dots; correct it'
    if flag in settings and not table("sql_flags")["complete"][engine]:
        return ""
    if near := nearest.misspelled(flag, [*flags, *settings], edits=1 if "." in flag else 2):
        return f"{version} has no flag {flag}; did you mean {' or '.join(near)}?"
    if table("sql_flags")["complete"][engine]:
        return f"{version} has no flag {flag}; {nearest.advice(flag, flags, example='max_connections')} ({REFRESH})"
    return ""


def _value_mistake(flag: str, value: str, entry: Mapping[str, Any]) -> str:
    kind = entry["type"]
    if kind == "BOOLEAN":
        return "" if value.lower() in ("on", "off") else f'{flag}: "{value}" is neither on nor off; write one of them'
    if kind in ("INTEGER", "FLOAT"):
        return _number_mistake(flag, value, entry, integer=kind == "INTEGER")
    allowed = entry.get("values")
    if allowed and value.lower() not in {str(word).lower() for word in allowed}:
        return f'{flag}: "{value}" is not one of {", ".join(map(str, allowed))}; write one of them'
    return ""


def _number_mistake(flag: str, value: str, entry: Mapping[str, Any], *, integer: bool) -> str:
    least, most = entry.get("min", -math.inf), entry.get("max", math.inf)
    words = "an integer" if integer else "a number"
    limits = f" from {least} to {most}" if most != math.inf else f" of at least {least}" if least != -math.inf else ""
    if not re.fullmatch(r"[-+]?\d+" if integer else r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", value):
        return f'{flag}: "{value}" is not {words} without a unit; write one{limits}'
    if integer and int(value) in entry.get("also", ()):
        return ""
    if not least <= (int(value) if integer else float(value)) <= most:
        return f"{flag}: {value} is out of range; write {words}{limits}"
    return ""
