"""Dates in YAML files are quoted strings, for Pulumi rewrites the others.

Whenever Pulumi saves a stack file (`stack init`, `config set`, `stack change-secrets-provider`), it reads a date
without quotes as a time and writes it as Go prints one: `2027-06-30` becomes `2027-06-30 00:00:00 +0000 UTC`, which is
no standard format. A date in quotes stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

_TAG = "tag:yaml.org,2002:"
_PLAIN = ("map", "seq", "str", "int", "float", "bool", "null", "merge")
# https://pkg.go.dev/time#Time.String
_PRINTED_BY_GO = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d\d)(\d\d) \S+")


def mistakes(root: Any, shown: str) -> Iterator[str]:
    """One line for each part of a YAML document that is no map, list, text, number or truth value, with its fix."""
    for path, node in _nodes(root, (), set()):
        message = _mistake(
            str(node.tag).removeprefix(_TAG), str(node.value) if isinstance(node, yaml.ScalarNode) else ""
        )
        if message:
            yield f"{shown}:{node.start_mark.line + 1}: {'.'.join(path)}: {message}"


def _mistake(kind: str, text: str) -> str:
    printed = _PRINTED_BY_GO.fullmatch(text)
    if printed is not None:
        day, time, hours, minutes = printed.groups()
        zone = "Z" if hours + minutes == "+0000" else f"{hours}:{minutes}"
        date = f'"{day}" (a date) or ' if time == "00:00:00" and zone == "Z" else ""
        return f'Pulumi has rewritten a date that was not in quotes; write {date}"{day}T{time}{zone}"'
    if kind == "timestamp":
        return f'a date without quotes, which Pulumi rewrites when it saves the file; write "{text}"'
    return "" if kind in _PLAIN else f"must not be of the YAML type {kind}; write a map, a list, text, a number or true"


def _nodes(node: Any, path: tuple[str, ...], seen: set[int]) -> Iterator[tuple[tuple[str, ...], yaml.Node]]:
    """Every node with its keys; what an alias repeats only once."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    yield path, node
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _nodes(item, (*path, str(index)), seen)
    elif isinstance(node, yaml.MappingNode):
        for key, item in node.value:
            inner = (*path, str(key.value))
            yield from _nodes(key, inner, seen)
            yield from _nodes(item, inner, seen)
