"""Read a Jenkinsfile without running it: the libraries that it loads, and its calls of the pipeline.

tree-sitter's grammar of Groovy decides what is a comment, a text and an argument. An expression whose value is only
known in a build has the value `UNKNOWN`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache

import tree_sitter_groovy
from tree_sitter import Language, Node, Parser

PIPELINE = "servicePipeline"
"""The function of the shared library that builds a service (delivery/vars)."""
_CALLS = ("method_invocation", "juxt_function_call")
_LOADS = (("annotation", "Library"), *((call, "library") for call in _CALLS))
_TEXTS = ("character_literal", "string_literal", "text_block", "multiline_string_literal")


class BuildTimeValue(Enum):
    """The value of an expression that only a build knows."""

    UNKNOWN = "unknown"


UNKNOWN = BuildTimeValue.UNKNOWN
Value = str | bool | int | list["Value"] | BuildTimeValue | None


@dataclass(frozen=True)
class PipelineCall:
    """One call of the pipeline."""

    line: int
    arguments: Mapping[str, Value]


@dataclass
class Jenkinsfile:
    """What a Jenkinsfile says."""

    libraries: set[str] = field(default_factory=set[str])
    """Names of the shared libraries, without their versions."""
    calls: list[PipelineCall] = field(default_factory=list[PipelineCall])
    broken: int = 0
    """The line of the library or of a call that is not Groovy; 0 for none."""


def read_jenkinsfile(text: str) -> Jenkinsfile:
    """The libraries and calls of a Jenkinsfile; lines that the grammar cannot read are skipped."""
    root = Parser(_language()).parse(text.encode()).root_node
    nodes = list(_nodes(root))
    variables = _variables(nodes)
    result = Jenkinsfile()
    for node in nodes:
        if (node.type, _name(node)) in _LOADS and node.has_error:
            result.broken = result.broken or node.start_point.row + 1
        elif (node.type, _name(node)) in _LOADS:
            result.libraries |= _libraries(node)
        elif node.type == "identifier" and _text(node) == PIPELINE and _is_broken(node):
            result.broken = result.broken or node.start_point.row + 1
        elif node.type == "identifier" and _text(node) == PIPELINE and _is_called(node):
            arguments = _arguments(node.next_named_sibling, variables)
            result.calls.append(PipelineCall(node.start_point.row + 1, arguments))
    return result


@cache
def _language() -> Language:
    return Language(tree_sitter_groovy.language())


def _nodes(root: Node) -> Iterator[Node]:
    """All nodes in their order, without recursion: a file of a stranger may be nested deeply."""
    rest = [root]
    while rest:
        node = rest.pop()
        yield node
        rest += reversed(node.children)


def _name(node: Node) -> str:
    return next((_text(child) for child in node.children if child.type == "identifier"), "")


def _libraries(node: Node) -> set[str]:
    texts = (_value(each, {}) for each in _nodes(node) if each.type in _TEXTS)
    return {text.partition("@")[0] for text in texts if isinstance(text, str)}


def _is_broken(name: Node) -> bool:
    """Whether the grammar could not read the call to its end: a bracket, a quote or a comma is missing."""
    call = name.parent
    return call is not None and (call.type == "ERROR" or (call.type in _CALLS and call.has_error))


def _is_called(node: Node) -> bool:
    following = node.next_named_sibling
    return following is not None and following.type in ("argument_list", "map_item", "closure")


def _arguments(node: Node | None, variables: Mapping[str, Value]) -> dict[str, Value]:
    """The named arguments of a call, also as one map."""
    if node is None or node.type != "argument_list":
        return {}
    items = [child for child in node.named_children if "comment" not in child.type]
    if len(items) == 1 and items[0].type == "map_literal":
        items = items[0].named_children
    result: dict[str, Value] = {}
    for item in items:
        if item.type == "map_item":
            key, *rest = [child for child in item.named_children if "comment" not in child.type]
            result[_text(key).strip("'\"")] = _value(rest[-1], variables) if rest else UNKNOWN
        else:
            result["*"] = UNKNOWN
    return result


def _variables(nodes: list[Node]) -> dict[str, Value]:
    """The variables that the file sets exactly once."""
    values: dict[str, list[Value]] = {}
    for node in nodes:
        if node.type in ("variable_declarator", "assignment_expression") and len(node.named_children) > 1:
            name, value = _text(node.named_children[0]), node.named_children[-1]
            plain = not any(child.type in ("+=", "-=", "<<=") for child in node.children)
            values.setdefault(name, []).append(_value(value, {}) if plain else UNKNOWN)
    return {name: each[0] for name, each in values.items() if len(each) == 1}


def _value(node: Node, variables: Mapping[str, Value]) -> Value:
    """The value of an expression, or `UNKNOWN`."""
    text = _text(node)
    if node.type in _TEXTS:
        match = re.fullmatch(r"('''|\"\"\"|'|\")(.*)\1", text, re.DOTALL)
        interpolated = text.startswith('"') and "$" in text
        return match[2] if match and not interpolated and "\\" not in match[2] else UNKNOWN
    if node.type == "array_literal":
        return [_value(child, variables) for child in node.named_children if "comment" not in child.type]
    if text in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[text]
    if re.fullmatch(r"\d+", text):
        return int(text)
    return variables.get(text, UNKNOWN) if node.type == "identifier" else UNKNOWN


def _text(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")
