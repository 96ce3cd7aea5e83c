"""Read a Makefile without make: its targets, also those of included files, and what its recipes refer to.

make itself is no reader for files of others: already for `make -pn` it runs `$(shell …)`. The grammar is tree-sitter's;
variables, includes and wildcards are followed inside the repository (docs/adr/0026-repositories.md). Tests compare the
targets with `make -pn`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import tree_sitter_make
from tree_sitter import Language, Node, Parser

from atwork.services.checks.files import UnreadableFileError, is_inside, read_text

_REFERENCE = re.compile(r"\$(?:\((\w[\w.-]*)\)|\{(\w[\w.-]*)\}|(\w))")
_WILDCARD = re.compile(r"\$[({]wildcard\s+([^(){}$]+)[)}]")
_COMPUTED = re.compile(r"\$[({](?:eval|call|foreach)\b")
_COMMAND = re.compile(
    r" +(?!(?:if|ifn?def|ifn?eq|else|endif|-?include|sinclude|unexport|export|override|vpath|private|define|undefine"
    r"|endef|load)\b)[^\s#$][^=:]*$"
)
"""A line that begins with spaces and is no directive, comment, call of a function, assignment or rule."""
_CONTAINERS = (
    "conditional",
    "else_directive",
    "elsif_directive",
    "export_directive",
    "override_directive",
    "private_directive",
    "ERROR",
)
_MAX_FILES = 100


@dataclass
class Makefile:
    """What a Makefile and the files that it includes say."""

    targets: dict[str, int] = field(default_factory=dict[str, int])
    """Targets of rules, with their lines in the Makefile; 0 in an included file."""
    recipes: list[str] = field(default_factory=list[str])
    """Recipes and values of variables, without comments."""
    variables: dict[str, str] = field(default_factory=dict[str, str])
    files: set[Path] = field(default_factory=set[Path])
    spaces: int = 0
    """The first line of the Makefile that is a command indented with spaces, which make refuses; 0 for none."""
    unknown: str = ""
    """What can define targets that are not known here, such as an include with a computed name."""

    def has(self, target: str) -> bool:
        """Whether a rule makes the target: by its name, or because the rule makes any target."""
        return any(name in self.targets for name in (target, "%", ".DEFAULT"))

    def expanded(self, text: str) -> str:
        """A text with the values of simple variables."""
        for _ in range(10):
            result = _REFERENCE.sub(
                lambda match: self.variables.get(next(filter(None, match.groups())), match[0]), text
            )
            if result == text:
                break
            text = result
        return text


def read_makefile(folder: Path, file: str, missing: str) -> Makefile:
    """The Makefile of a repository. Raises `UnreadableFileError`; an included file that is missing is `unknown`."""
    text = read_text(folder, file, missing)
    result = Makefile(spaces=_command_after_spaces(text))
    _read(folder, file, text, result, is_first=True)
    return result


def _command_after_spaces(text: str) -> int:
    """The first line that begins with spaces and is nothing but a command; the grammar reads it as a recipe."""
    before, inside = "", False
    for number, line in enumerate(text.splitlines(), 1):
        inside = inside or line.startswith("define ")
        if not inside and not before.endswith("\\") and _COMMAND.match(line) and ".RECIPEPREFIX" not in text:
            return number
        inside = inside and not line.startswith("endef")
        before = line
    return 0


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_make.language()))


def _read(folder: Path, file: str, text: str, result: Makefile, *, is_first: bool) -> None:
    result.files.add((folder / file).resolve())
    root = _parser().parse(f"{text}\n".encode()).root_node
    for node in _statements(root):
        if node.type == "rule":
            _rule(node, result, is_first=is_first)
        elif node.type in ("variable_assignment", "shell_assignment"):
            _assignment(node, result)
        elif node.type == "include_directive":
            _include(folder, node, result)
        elif node.type != "comment" and _COMPUTED.search(_text(node)):
            result.unknown = result.unknown or f"computes rules in line {node.start_point.row + 1}"
    if root.has_error:
        result.unknown = result.unknown or f"{file} has lines that could not be read"


def _statements(node: Node) -> Iterator[Node]:
    """The statements of a file in their order, also those in both branches of conditions."""
    for child in node.children:
        if child.type in _CONTAINERS:
            yield from _statements(child)
        elif child.is_named and not child.type.endswith(("eq_directive", "def_directive")):
            yield child


def _rule(node: Node, result: Makefile, *, is_first: bool) -> None:
    for child in node.children:
        if child.type == "targets":
            for name in result.expanded(_text(child)).split():
                result.targets.setdefault(name, node.start_point.row + 1 if is_first else 0)
        elif child.type == "recipe":
            result.recipes += [_without_comment(line) for line in _text(child).split("\n")]


def _assignment(node: Node, result: Makefile) -> None:
    if node.child_by_field_name("target_or_pattern") is not None:
        return  # a variable of one target
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name is None or value is None:
        return
    text = re.sub(r"\\\n\s*", " ", _text(value)).strip()
    operator = next((child.type for child in node.children if child.type.endswith("=")), "=")
    key = _text(name)
    if operator == "+=":
        text = f"{result.variables.get(key, '')} {text}".strip()
    if operator != "?=" or key not in result.variables:
        result.variables[key] = text if node.type == "variable_assignment" else ""
    result.recipes.append(text)


def _include(folder: Path, node: Node, result: Makefile) -> None:
    optional = node.children[0].type != "include"
    arguments = " ".join(_text(child) for child in node.children[1:])
    arguments = _WILDCARD.sub(lambda match: match[1], result.expanded(arguments))
    for name in arguments.split():
        if "$" in name:
            result.unknown = result.unknown or f"includes {name}, whose name is computed"
            continue
        paths = sorted(folder.glob(name.removeprefix("./"))) if "*" in name else [folder / name]
        readable = [path for path in paths if is_inside(folder, path)]
        if not readable and not optional and "*" not in name:
            result.unknown = result.unknown or f"includes {name}, which is not in the repository"
        for path in readable:
            if path.resolve() in result.files or len(result.files) >= _MAX_FILES:
                continue
            try:
                relative = str(path.relative_to(folder))
                _read(folder, relative, read_text(folder, relative, ""), result, is_first=False)
            except UnreadableFileError as error:
                result.unknown = result.unknown or str(error)


def _without_comment(line: str) -> str:
    """A line of a recipe without the shell's comment."""
    return re.sub(
        r"""^((?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^"'#\\]|(?<=[^\s@;&|-])#)*)#.*$""", r"\1", line.strip().lstrip("@-+")
    )


def _text(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")
