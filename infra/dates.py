"""Dates in YAML files are quoted strings, for Pulumi rewrites the others.

Whenever Pulumi saves a stack file (`stack init`, `config set`, `stack change-secrets-provider`), it reads a date
without quotes as a time and writes it as Go prints one: `2027-06-30` becomes `2027-06-30 00:00:00 +0000 UTC`, which is
no standard format. A date in quotes stays as it is.
"""

from __future__ import annotations

import re

_PLAIN = ("map", "seq", "str", "int", "float", "bool", "null", "merge")
# https://pkg.go.dev/time#Time.String
_PRINTED_BY_GO = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d\d)(\d\d) \S+")


def date_mistake(kind: str, text: str) -> str:
    """What is wrong with text of a YAML type, such as `timestamp`, and what to write; empty for plain data."""
    printed = _PRINTED_BY_GO.fullmatch(text)
    if printed is not None:
        day, time, hours, minutes = printed.groups()
        zone = "Z" if hours + minutes == "+0000" else f"{hours}:{minutes}"
        date = f'"{day}" (a date) or ' if time == "00:00:00" and zone == "Z" else ""
        return f'Pulumi has rewritten a date that was not in quotes; write {date}"{day}T{time}{zone}"'
    if kind == "timestamp":
        return f'a date without quotes, which Pulumi rewrites when it saves the file; write "{text}"'
    return "" if kind in _PLAIN else f"must not be of the YAML type {kind}; write a map, a list, text, a number or true"
