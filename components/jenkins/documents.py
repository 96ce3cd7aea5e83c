"""YAML documents inside YAML values."""

from __future__ import annotations

import yaml

# libyaml's emitter writes the jobs of a large catalog several times as fast; it is in all wheels of PyYAML.
_FASTEST: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_FASTEST):
    """Block style; text of several lines is a literal block."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - no value is an alias
        """No anchors: they help neither the chart's template engine nor a reader."""
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def as_yaml(document: object) -> str:
    """A document as block YAML, with its keys in their order."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=4096)
