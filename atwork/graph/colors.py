"""The colors of a picture: attributes for every viewer, and a style sheet on top for readers in dark mode.

Some viewers, such as librsvg, know no variables of CSS and draw black what has such a color. Attributes are weaker than
any rule of a style sheet, so that dark mode replaces them where it is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from xml.etree import ElementTree as ET

import yaml

_ROOT = ".atwork-topology"
FAMILY = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Helvetica, Arial, sans-serif'
"""The fonts of all texts."""


@dataclass(frozen=True)
class ColorRule:
    """What elements with some classes look like."""

    parent: frozenset[str]
    """Classes of the parent; empty for any."""
    own: frozenset[str]
    """Classes of the element, or its tag."""
    attributes: Mapping[str, str]
    """Presentation attributes; a value can be a name of the palette."""

    @property
    def selector(self) -> str:
        """The rule as a selector of CSS."""
        own = "".join(name if name == "text" else f".{name}" for name in sorted(self.own))
        parent = "".join(f".{name}" for name in sorted(self.parent))
        return f"{_ROOT} {parent} > {own}" if parent else f"{_ROOT} {own}"


@dataclass(frozen=True)
class Theme:
    """The palette for light and for dark mode, and the rules; a later rule overrides an earlier one."""

    light: Mapping[str, str]
    dark: Mapping[str, str]
    rules: tuple[ColorRule, ...]

    def apply(self, root: ET.Element) -> None:
        """Set the attributes of all elements in light mode."""
        for parent in root.iter():
            above = frozenset(parent.get("class", "").split())
            for element in parent:
                own = {element.tag, *element.get("class", "").split()}
                for rule in self.rules:
                    if rule.own <= own and rule.parent <= above:
                        for key, value in rule.attributes.items():
                            element.set(key, self.light.get(value, value))

    def sheet(self) -> str:
        """The style sheet: only what dark mode changes, and the size in a page."""
        return "\n".join(
            (
                f"{_ROOT} {{ max-width: 100%; height: auto; }}",
                "@media (prefers-color-scheme: dark) {",
                *self._dark_rules(),
                "}",
            )
        )

    def _dark_rules(self) -> Iterator[str]:
        for rule in self.rules:
            colors = {key: self.dark[value] for key, value in rule.attributes.items() if value in self.dark}
            if colors:
                yield f"  {rule.selector} {{ {' '.join(f'{key}: {color};' for key, color in colors.items())} }}"


def theme() -> Theme:
    """The theme of `colors.yaml`."""
    data = yaml.safe_load((files("atwork.graph") / "colors.yaml").read_text())
    palette: dict[str, list[str]] = data["palette"]
    light, dark = ({name: pair[index] for name, pair in palette.items()} for index in (0, 1))
    return Theme(light, dark, tuple(_rule(selector, given) for selector, given in data["rules"].items()))


def _rule(selector: str, attributes: Mapping[str, str]) -> ColorRule:
    parent, _, own = selector.rpartition(" > ")
    values = {key: str(value) for key, value in attributes.items()}
    return ColorRule(frozenset(parent.split()), frozenset(own.split()), values)
