"""Read YAML files: the one reader for all of the project; `ConfigError` has file, line and fix of each problem."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from infra.errors import ConfigError
from infra.yaml_nodes import structure_mistakes
from infra.yaml_scalars import scalar_mistakes
from infra.yaml_text import read_text

# libyaml's loader reads many environments ten times as fast; it is in all wheels of PyYAML.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_HINTS = {
    "mapping values are not allowed": "put a value with a colon in quotes, and indent keys of one map alike",
    "cannot start any token": "put the value in quotes",
    "did not find expected ',' or": "close the bracket, or add a comma",
    "did not find expected node content": "close the bracket",
    "unexpected end of stream": "close the quotation mark",
    "did not find expected": "indent the lines of one map or list alike",
    "could not find expected ':'": "add a colon and a value to the key",
    "undefined alias": "put the text in quotes, or name an anchor above it",
    "unknown escape": "write the backslash twice, or use single quotes",
    "for merging": "name a map (`<<: *NAME`), or write its entries",
    "another document": "keep one document: remove the line --- and what follows",
    "nesting depth": "write fewer levels",
}
"""Parts of libyaml's messages, with what to do."""


def read_yaml(path: Path, shown: str) -> dict[str, Any]:
    """A YAML file that is a map of plain data; `shown` is its name in messages.

    Dates without quotes and values with two meanings (infra/dates.py, components/yaml_values.py) are refused.
    """
    return parse_yaml(read_text(path, shown), shown)


def read_foreign_yaml(path: Path, shown: str) -> dict[str, Any]:
    """A YAML file of another program, which has its own rules for dates and values."""
    return parse_yaml(read_text(path, shown), shown, foreign=True)


def parse_yaml(text: str, shown: str, *, foreign: bool = False) -> dict[str, Any]:
    """The same of text that is the content of the file `shown`."""
    try:
        loader = _LOADER(text)
        root = loader.get_single_node()
        if root is None:
            raise ConfigError(f"{shown}: is empty; copy an existing one")
        wrong = [*structure_mistakes(root, shown, aliases="&" in text)]
        if not wrong and not foreign:
            wrong = [*scalar_mistakes(root, shown)]
        if wrong:
            raise ConfigError("\n".join(wrong))
        loaded: object = loader.construct_document(root)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(_not_yaml(text, error, shown)) from None
    except RecursionError:
        raise ConfigError(f"{shown}: has too many levels; write fewer") from None
    if not isinstance(loaded, dict):
        raise ConfigError(f"{shown}: must be a map of keys to values; write KEY: VALUE on each line")
    return loaded


def compose(path: Path) -> yaml.Node | None:
    """The nodes of a YAML file, which have their lines; None for an empty file."""
    return yaml.compose(read_text(path, path.name), _LOADER)


def _not_yaml(text: str, error: Exception, shown: str) -> str:
    """What is wrong with text that is no YAML, in one line."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        position = getattr(error, "position", 0)
        line = text.encode().count(b"\n", 0, position) + 1
        return f"{shown}:{line}: not YAML: {getattr(error, 'reason', None) or error}; remove the character"
    lines = text.splitlines() or [""]
    line = lines[min(mark.line, len(lines) - 1)]
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return f"{shown}:{mark.line + 1}: not YAML: the line is indented with a tab; write spaces"
    problem = str(getattr(error, "problem", "") or error)
    words = f"{getattr(error, 'context', None) or ''} {problem}"
    hint = next((fix for part, fix in _HINTS.items() if part in words), "put the value in quotes")
    return f"{shown}:{mark.line + 1}: not YAML: {problem}; {hint}"
