"""Edits of YAML files that people write: an entry changes, and every other character stays, with its line end.

PyYAML's nodes have the positions of keys and values in the text (docs/adr/0019-libraries.md has why no library writes
these files). Each edit is checked: its result must be read as the data that was meant, or `ConfigError` says what to
write by hand.
"""

from __future__ import annotations

import copy
import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from atwork.errors import ConfigError
from atwork.files import replace_file
from components.forms import written
from infra.yaml_files import parse_yaml
from infra.yaml_text import read_text

Keys = Sequence[str]
Change = Callable[[dict[str, Any]], None]


def write_file(path: Path, text: str) -> None:
    """Replace the text of a file that people write atomically; its mode stays, and a link stays a link."""
    place = path.resolve()
    replace_file(place, text, mode=stat.S_IMODE(place.stat().st_mode) if place.exists() else None)


def edit_file(path: Path, shown: str, edit: Callable[[str], str]) -> None:
    """Change a file by a function of its text."""
    write_file(path, edit(read_text(path, shown)))


@dataclass(frozen=True)
class YamlText:
    """The text of a YAML file that is edited; `shown` is its name in messages."""

    text: str
    shown: str

    def with_entry(self, where: Keys, key: str, value: str) -> str:
        """The text with an entry, whose value is YAML, as the first of the map at `where`, which exists."""
        entry = f"{written(key)}: {value}"
        return self._checked(self._insert(where, entry), f"{'.'.join(where)}: add `{entry}`", _set(where, key, value))

    def with_entry_before(self, sibling: str, key: str, value: str) -> str:
        """The text with an entry, whose value is YAML, before another key of the document, which exists."""
        entry = f"{written(key)}: {value}"
        start = self._pair((sibling,))[0].start_mark.index
        text = f"{self.text[:start]}{entry}{self._ending}{self.text[start:]}"
        return self._checked(text, f"add `{entry}`", _set((), key, value))

    def without_entry(self, where: Keys, key: str) -> str:
        """The text without an entry of the map at `where`, and without the comments that are indented below it."""
        text = self._remove(self._pair(where), self._pair((*where, key)))
        return self._checked(text, f"remove {'.'.join((*where, key))}", lambda data: _at(data, where).pop(key))

    def with_value(self, where: Keys, key: str, value: str, *, new_key: str = "") -> str:
        """The text with another value, which is YAML, of an entry that exists, and with another key if there is one."""
        old, node = self._pair((*where, key))
        value_text = self.text[node.start_mark.index : node.end_mark.index]
        kept = value_text[len(value_text.rstrip()) :]
        start = old.start_mark.index if new_key else node.start_mark.index
        entry = f"{written(new_key)}: {value}" if new_key else value
        text = f"{self.text[:start]}{entry}{kept}{self.text[node.end_mark.index :]}"

        def change(data: dict[str, Any]) -> None:
            _at(data, where).pop(key)
            _set(where, new_key or key, value)(data)

        return self._checked(text, f"{'.'.join((*where, key))}: write `{entry}`", change)

    def has(self, keys: Keys) -> bool:
        """Whether there is an entry at these keys."""
        return self._find(keys) is not None

    @property
    def _ending(self) -> str:
        """The line end of the file."""
        return "\r\n" if "\r\n" in self.text else "\n"

    @cached_property
    def _root(self) -> Any:
        parse_yaml(self.text, self.shown)  # which reports mistakes
        return yaml.compose(self.text, yaml.SafeLoader)

    def _insert(self, where: Keys, entry: str) -> str:
        text, ending = self.text, self._ending
        key, value = self._pair(where)
        entries = value.value if isinstance(value, yaml.MappingNode) else []
        if isinstance(value, yaml.MappingNode) and value.flow_style and (entries or self._parent_is_inline(where)):
            start, gap = value.start_mark.index + 1, ", " if entries else ""
            if entries and entries[0][0].start_mark.line > value.start_mark.line:
                start, gap = entries[0][0].start_mark.index, f",{ending}{' ' * entries[0][0].start_mark.column}"
            return f"{text[:start]}{entry}{gap}{text[start:]}"
        if not entries:
            start, end = text.index(":", key.end_mark.index) + 1, value.end_mark.index
            text = text[:start] + text[end:]
        column = entries[0][0].start_mark.column if entries else key.start_mark.column + 2
        line_end = text.find("\n", key.end_mark.index) + 1
        if not line_end:
            text, line_end = text + ending, len(text + ending)
        return f"{text[:line_end]}{' ' * column}{entry}{ending}{text[line_end:]}"

    def _remove(self, parent: tuple[yaml.Node, Any], entry: tuple[yaml.Node, Any]) -> str:
        text, entries = self.text, parent[1].value
        at = entries.index(entry)
        if parent[1].flow_style:
            before, after = entries[:at], entries[at + 1 :]
            start = entry[0].start_mark.index if after or not before else before[-1][1].end_mark.index
            end = after[0][0].start_mark.index if after else entry[1].end_mark.index
            return text[:start] + text[end:]
        lines = re.split(r"(?<=\n)", text)
        end = max(_end(entry[0]), _end(entry[1]))
        indent = entry[0].start_mark.column
        while end < len(lines) and re.match(rf" {{{indent + 1},}}#", lines[end]):
            end += 1
        del lines[entry[0].start_mark.line : end]
        text = "".join(lines)
        if len(entries) > 1:
            return text
        colon = text.index(":", parent[0].end_mark.index) + 1
        return f"{text[:colon]} {{}}{text[colon:]}"

    def _parent_is_inline(self, where: Keys) -> bool:
        parent = self._find(where[:-1])
        return parent is not None and bool(getattr(parent[1], "flow_style", False))

    def _pair(self, keys: Keys) -> tuple[yaml.Node, Any]:
        pair = self._find(keys)
        if pair is None:
            raise ConfigError(f"{self.shown}: {'.'.join(keys)} is missing; add it")
        return pair

    def _find(self, keys: Keys) -> tuple[yaml.Node, Any] | None:
        """The nodes of a key and its value; the document itself has no key."""
        pair: tuple[Any, Any] | None = (self._root, self._root)
        for name in keys:
            pairs = pair[1].value if pair is not None and isinstance(pair[1], yaml.MappingNode) else []
            pair = next((item for item in pairs if item[0].value == name), None)
        return pair

    def _checked(self, text: str, by_hand: str, change: Change) -> str:
        """The changed text; `ConfigError` if it is not read as the data after the change."""
        wanted = copy.deepcopy(parse_yaml(self.text, self.shown))
        try:
            change(wanted)
            if parse_yaml(text, self.shown) == wanted:
                return text
        except (ConfigError, LookupError, TypeError):
            pass
        raise ConfigError(f"{self.shown}: its anchors or its format keep the command from changing it; {by_hand}")


def _at(data: dict[str, Any], where: Keys) -> dict[str, Any]:
    for key in where:
        data = data[key]
    return data


def _set(where: Keys, key: str, value: str) -> Change:
    """Set a value, given as YAML, in the map at `where`, which may be empty."""

    def change(data: dict[str, Any]) -> None:
        parent = _at(data, where[:-1])
        if where and parent[where[-1]] is None:
            parent[where[-1]] = {}
        _at(data, where)[key] = yaml.safe_load(value)

    return change


def _end(node: Any) -> int:
    """The line after a node; the end mark of a map or a list is where the next key is."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        key, value = node.value[-1]
        return max(_end(key), _end(value))  # the marks of an alias are those of its anchor
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _end(node.value[-1])
    return node.end_mark.line + (node.end_mark.column > 0)
