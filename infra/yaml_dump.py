"""Write YAML that every program reads alike: text with another meaning in YAML 1.1 or 1.2 is in quotes."""

from __future__ import annotations

from typing import Any

import yaml

from components.yaml_values import ambiguity


class _Dumper(yaml.SafeDumper):
    """Writes plain data."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    """Text, in quotes where its reading depends on the version of YAML."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if ambiguity(text) else None)


_Dumper.add_representer(str, _text)


def dump_yaml(document: Any) -> str:
    """Plain data as YAML, with the keys in their order."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)
