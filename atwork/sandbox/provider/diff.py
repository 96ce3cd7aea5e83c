"""Differences between old and new inputs by path, and which of them replace the resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from atwork.sandbox.provider.values import Json, is_secret, is_unknown, reveal

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class PropertyChange:
    """A path that differs; `kind` is add, delete or update."""

    path: Path
    kind: str

    def text(self) -> str:
        """The path as the engine writes it: a.b[0]["c.d"]."""
        text = ""
        for part in self.path:
            if isinstance(part, int):
                text += f"[{part}]"
            elif part.replace("_", "").isalnum():
                text += f".{part}" if text else part
            else:
                text += f'["{part}"]'
        return text


def changes(old: Json, new: Json, path: Path = ()) -> Iterator[PropertyChange]:
    """All leaves that differ. An unknown new value counts as a change."""
    if is_secret(old) or is_secret(new):
        old, new = reveal(old), reveal(new)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            if not key.startswith("__"):
                yield from changes(old.get(key), new.get(key), (*path, key))
    elif isinstance(old, list) and isinstance(new, list) and not is_unknown(new):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            yield from changes(before, after, (*path, index))
    elif old is None and new is not None:
        yield PropertyChange(path, "add")
    elif new is None and old is not None:
        yield PropertyChange(path, "delete")
    elif old != new:
        yield PropertyChange(path, "update")


def rule_of(path: Path, rules: Mapping[str, Any], objects: Mapping[str, Any]) -> Mapping[str, Any]:
    """The rule of the property at a path; an added or removed block has the rule of the block itself."""
    rule: Mapping[str, Any] = {}
    for part in path:
        if isinstance(part, int):
            continue
        if rule and "object" not in rule:
            break  # in a map of plain values the rule of the map holds
        rule = (objects.get(rule["object"], {}) if rule else rules).get(part, {})
        if not rule:
            break
    return rule


def replaces(path: Path, rules: Mapping[str, Any], objects: Mapping[str, Any]) -> bool:
    """Whether a change at a path replaces the resource according to the rules of its properties."""
    return bool(rule_of(path, rules, objects).get("immutable"))
