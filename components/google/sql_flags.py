"""Database flags of Cloud SQL: whether a version has a flag and takes a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.google import nearest
from components.google.tables import REFRESH, table


def mistake(version: str, flag: str, value: str) -> str:
    """Why Cloud SQL refuses a flag of a version, such as POSTGRES_18, with the fix; "" if it takes it."""
    flags: Mapping[str, list[dict[str, Any]]] = table("sql_flags")["flags"][version.partition("_")[0]]
    entries = flags.get(flag)
    if entries is None:
        known = [name for name, items in flags.items() if any(_applies(entry, version) for entry in items)]
        return f"{version} has no flag {flag}; {nearest.advice(flag, known, example='max_connections')} ({REFRESH})"
    entry = next((entry for entry in entries if _applies(entry, version)), None)
    if entry is None:
        versions = ", ".join(sorted({version for entry in entries for version in entry["versions"]}))
        return f"{version} has no flag {flag}, {versions} have it; remove it ({REFRESH})"
    return _value_mistake(flag, value, entry)


def _applies(entry: Mapping[str, Any], version: str) -> bool:
    return version in entry.get("versions", (version,))


def _value_mistake(flag: str, value: str, entry: Mapping[str, Any]) -> str:
    kind = entry["type"]
    if kind == "BOOLEAN":
        return "" if value.lower() in ("on", "off") else f'{flag}: "{value}" is neither on nor off; write one of them'
    if kind in ("INTEGER", "FLOAT"):
        return _number_mistake(flag, value, entry, int if kind == "INTEGER" else float)
    allowed = entry.get("values")
    if allowed and value.lower() not in {str(word).lower() for word in allowed}:
        return f'{flag}: "{value}" is not one of {", ".join(map(str, allowed))}; write one of them'
    return ""


def _number_mistake(flag: str, value: str, entry: Mapping[str, Any], number: type[int | float]) -> str:
    least, most = entry.get("min"), entry.get("max")
    limits = f"from {least} to {most}" if most is not None else f"of at least {least}"
    words = "an integer" if number is int else "a number"
    try:
        given = number(value)
    except ValueError:
        return f'{flag}: "{value}" is not {words}; write one {limits}'
    if (least is not None and given < least) or (most is not None and given > most):
        return f"{flag}: {value} is out of range; write {words} {limits}"
    return ""
