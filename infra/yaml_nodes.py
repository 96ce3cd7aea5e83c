"""What a YAML document may not have although it is YAML: a key twice, a key that is no text, aliases without end.

The nodes of a document have their lines, which the data that it becomes has not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

Keys = tuple[str, ...]

_MOST_VALUES = 100_000
"""Values that a document may have after its aliases are replaced by what they name."""


def structure_mistakes(root: yaml.Node, shown: str, *, aliases: bool) -> Iterator[str]:
    """One line for each mistake in the structure of a document; nothing can be read from it before they are fixed.

    `aliases` is whether it can have some.
    """
    circle = _circle(root, frozenset(), set()) if aliases else None
    if circle is not None:
        yield f"{shown}:{circle.start_mark.line + 1}: an alias stands inside the value that it names; write the value"
        return
    if aliases and _size(root, {}) > _MOST_VALUES:
        yield f"{shown}: its aliases stand for more than {_MOST_VALUES} values; write the values without aliases"
        return
    yield from _keys(root, shown, (), set())


def nodes(node: Any, path: Keys = (), seen: set[int] | None = None) -> Iterator[tuple[Keys, yaml.Node]]:
    """Every node below a node with its keys; what an alias repeats only once."""
    seen = set() if seen is None else seen
    if id(node) in seen:
        return
    seen.add(id(node))
    yield path, node
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from nodes(item, (*path, str(index)), seen)
    elif isinstance(node, yaml.MappingNode):
        for key, item in node.value:
            inner = (*path, str(key.value))
            yield from nodes(key, inner, seen)
            yield from nodes(item, inner, seen)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _circle(node: yaml.Node, above: frozenset[int], done: set[int]) -> yaml.Node | None:
    """A value that contains itself."""
    if id(node) in above:
        return node
    if id(node) in done:
        return None
    for child in _children(node):
        if (circle := _circle(child, above | {id(node)}, done)) is not None:
            return circle
    done.add(id(node))
    return None


def _size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """The number of values, with those of an alias at each of its places."""
    if id(node) not in sizes:
        sizes[id(node)] = 1 + sum(_size(child, sizes) for child in _children(node))
    return sizes[id(node)]


def _keys(node: Any, shown: str, path: Keys, seen: set[int]) -> Iterator[str]:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _keys(item, shown, (*path, str(index)), seen)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[str, yaml.Node] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                yield f"{shown}:{line}: a key is a list or a map; write text, in quotes if it begins with a brace"
                continue
            if not key.value:
                yield f"{shown}:{line}: a key is empty; write a name"
                continue
            inner = (*path, key.value)
            first = lines.setdefault(key.value, key)
            if first is not key:
                before = first.start_mark.line + 1
                yield f"{shown}:{line}: {'.'.join(inner)}: is in line {before} already; remove one of them"
            yield from _keys(value, shown, inner, seen)
