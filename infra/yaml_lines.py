"""Lines of keys: a message about a key of a file names the file's line, too."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from infra.errors import ConfigError
from infra.yaml_files import compose

_MESSAGE = re.compile(r"(?P<file>[^\s:]+\.ya?ml): (?P<rest>.*)", re.DOTALL)
_END_OF_KEY = (".", ":", " ")


def with_lines(message: str, root: Path) -> str:
    """The lines of a message, where `FILE: KEY: …` becomes `FILE:LINE: KEY: …`; files are relative to `root`.

    The line is that of the key, or of the last one above it that the file has. Other lines of the message stay.
    """
    document = cache(_document)
    shown: list[str] = []
    for text in message.splitlines():
        parts = _MESSAGE.match(text)
        line = _line(document(root / parts["file"]), parts["rest"]) if parts else 0
        shown.append(f"{parts['file']}:{line}: {parts['rest']}" if parts and line else text)
    return "\n".join(shown)


def _document(file: Path) -> yaml.Node | None:
    """The nodes of a file; None for one that is missing or no YAML, which its own message says."""
    try:
        return compose(file)
    except (ConfigError, yaml.YAMLError, ValueError):
        return None


def _line(node: Any, text: str) -> int:
    """The line of the key that a text begins with, whose parts are joined by dots; 0 for none."""
    line = 0
    while (entry := _entry(node, text)) is not None:
        key, node, text = entry
        line = key.start_mark.line + 1
    return line


def _entry(node: Any, text: str) -> tuple[yaml.Node, Any, str] | None:
    """The entry of a map or list that a text starts with: its key, its value, and the rest of the text.

    Keys of a stack file are those of the engine's `config`.
    """
    if isinstance(node, yaml.MappingNode):
        pairs = [(key.value, key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]
    elif isinstance(node, yaml.SequenceNode):
        pairs = [(str(index), item, item) for index, item in enumerate(node.value)]
    else:
        return None
    for name, key, value in sorted(pairs, key=lambda pair: len(pair[0]), reverse=True):
        if text.startswith(name) and text[len(name) :].startswith(_END_OF_KEY):
            return key, value, text[len(name) :].lstrip(".: ")
    inner = next((value for name, _, value in pairs if name == "config"), None)
    return _entry(inner, text) if isinstance(inner, yaml.MappingNode) else None
