"""Read from the Go source of the Google provider what its published schema does not contain.

The published schema does not say which optional properties are also computed. For those, removal from the program is
not a difference: the plan keeps what the cloud has. Only the schema literals in the Go source say so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_REGISTERED = re.compile(
    r'Name:\s+"(google_\w+)",\s+ProductName:\s+"\w*",\s+Type:\s+registry\.SchemaTypeResource,\s+Schema:\s+(\w+)\(\)'
)
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`|//[^\n]*')
_ENTRY = re.compile(r'"(\w+)":\s*')
_MAP = "map[string]*schema.Schema{"


@dataclass
class Node:
    """One property: whether it is optional and computed, and its nested properties."""

    kept: bool = False
    inside: dict[str, Node] = field(default_factory=dict[str, "Node"])


class GoPackage:
    """The Go files of one service."""

    def __init__(self, folder: Path) -> None:
        files = sorted(file for file in folder.glob("*.go") if not file.name.endswith("_test.go"))
        text = "\n".join(file.read_text() for file in files)
        self.functions = dict(_REGISTERED.findall(text))
        # Descriptions may contain braces and text like keys; only keys of maps are kept as strings.
        self._text = _STRING.sub(lambda match: match[0] if re.fullmatch(r'"\w+"', match[0]) else '""', text)

    def resource(self, name: str) -> dict[str, Node]:
        """The properties of a resource by their Terraform names."""
        body = self._definition(rf"func {self.functions[name]}\(\)[^{{\n]*")
        return self._properties(body[body.index("Schema:") if "Schema:" in body else 0 :])

    def _definition(self, pattern: str) -> str:
        """The braces of a top-level function or variable; "" if it does not exist."""
        match = re.search(rf"^{pattern}\{{", self._text, re.MULTILINE)
        return self._braces(self._text, match.end() - 1) if match else ""

    def _properties(self, text: str) -> dict[str, Node]:
        """Every property in the outermost maps of a text, named maps included."""
        properties: dict[str, Node] = {}
        outermost = text.split(_MAP, 1)[0]
        for name in re.findall(r"\bschema[A-Z]\w+(?=,|\(|$)", outermost):
            properties |= self._properties(self._definition(rf"(?:var )?{name}\s*=\s*map\[string\]\*schema\.Schema"))
        start = 0 if re.match(r'\{\s*"\w+":', text) else text.find(_MAP)
        if start < 0:
            return properties
        body = self._braces(text, text.index("{", start))
        position = 1
        while (entry := _ENTRY.search(body, position)) is not None:
            if body[entry.end()] in "{&":
                value = self._braces(body, body.index("{", entry.end()))
                position = body.index("{", entry.end()) + len(value)
            else:
                value = self._returned(re.match(r"\w*", body[entry.end() :])[0])  # pyright: ignore[reportOptionalSubscript]
                position = entry.end()
            properties[entry[1]] = self._node(value)
        return properties

    def _node(self, value: str) -> Node:
        own = value.split("Elem:", 1)[0] + value.rpartition("}")[0].rpartition("}")[2]
        kept = bool(re.search(r"Optional:\s+true", own) and re.search(r"Computed:\s+true", own))
        inner = value.partition("Elem:")[2]
        if call := re.match(r"\s*(\w+)\(", inner):
            inner = self._returned(call[1])
        return Node(kept, self._properties(inner) if _MAP in inner or "Schema:" in inner else {})

    def _returned(self, function: str) -> str:
        return self._definition(rf"func {function}\([^\n]*?\) \*schema\.(?:Schema|Resource) ") if function else ""

    @staticmethod
    def _braces(text: str, start: int) -> str:
        depth = 0
        for position in range(start, len(text)):
            depth += {"{": 1, "}": -1}.get(text[position], 0)
            if depth == 0:
                return text[start : position + 1]
        raise ValueError("braces that do not close")
