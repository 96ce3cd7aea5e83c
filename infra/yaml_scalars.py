"""Values of a YAML document that are no plain data, or that programs read differently (components/yaml_values.py)."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from components.yaml_values import ambiguity
from infra.dates import date_mistake
from infra.yaml_nodes import nodes

_TAG = "tag:yaml.org,2002:"


def scalar_mistakes(root: yaml.Node, shown: str) -> Iterator[str]:
    """One line for each value that is no plain data or has two meanings, with its fix."""
    for path, node in nodes(root):
        text = str(node.value) if isinstance(node, yaml.ScalarNode) else ""
        message = date_mistake(str(node.tag).removeprefix(_TAG), text)
        if not message and isinstance(node, yaml.ScalarNode) and not node.style:
            message = ambiguity(text)
        if message:
            yield f"{shown}:{node.start_mark.line + 1}: {'.'.join(path)}: {message}"
