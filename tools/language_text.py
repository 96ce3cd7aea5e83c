"""The text that people read in a file, for tools/language.py.

Each reader returns a text of the same length and lines, in which everything else is blank. Offsets keep their line.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

_WORDS = re.compile(r"[A-Za-z`'\")][,;:.]? [A-Za-z`'\"(]")
"""Two words with a space between them: the string is text and not a key."""

_FIELD = re.compile(r"(?<!\{)\{(?!\{)([^{}]*)\}")
"""A value in an f-string; braces within it end it early, so that its rest counts as text."""

_FENCE = re.compile(r"^( *)(`{3,})[^\n]*\n.*?^\1\2[^\n]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_NESTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_ADDRESS = re.compile(r"https?://[^\s)>\"'`]+|\]\([^)\s]+\)")
_COMMENT = re.compile(r"(?:(?<=\s)|^)#[^\n]*", re.MULTILINE)
_GROOVY = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<string>'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\")",
    re.DOTALL,
)
_GROOVY_NAME = re.compile(r"\b(?:def|int|boolean|[A-Z]\w*(?:<[^>\n]*>)?) (\w+)\b|\b(\w+)\s*(?:,[^\n{}>]*)?->")


def markdown(text: str) -> str:
    """Everything but blocks of code."""
    return _FENCE.sub(lambda match: blank(match.group()), text)


def comments(text: str) -> str:
    """Comments that begin with `#`."""
    return _kept(text, (match.span() for match in _COMMENT.finditer(text)))


def python(text: str) -> str:
    """Comments, docstrings, and strings that contain words."""
    return _kept(text, _python_spans(text))


def python_names(text: str) -> list[tuple[str, int]]:
    """Names that a module gives to something, with their lines."""
    return [name for node in ast.walk(ast.parse(text)) for name in _names(node)]


def groovy(text: str) -> str:
    """Comments, and strings that contain words."""
    spans = (match.span() for match in _GROOVY.finditer(text) if match["comment"] or _WORDS.search(match["string"]))
    return _kept(text, spans)


def groovy_names(text: str) -> list[tuple[str, int]]:
    """Names of variables, parameters and methods, with their lines."""
    code = _GROOVY.sub(lambda match: blank(match.group()), text)
    return [
        (match[1] or match[2], code.count("\n", 0, match.start(1 if match[1] else 2)) + 1)
        for match in _GROOVY_NAME.finditer(code)
    ]


def no_names(_: str) -> list[tuple[str, int]]:
    """For files that name nothing."""
    return []


def without_code(text: str) -> str:
    """Text without code in backticks and without addresses."""
    for pattern in (_CODE, _ADDRESS):
        text = pattern.sub(lambda match: blank(match.group()), text)
    return text


def blank(text: str) -> str:
    """Blanks instead of a text, line by line."""
    return re.sub(r"[^\n]", " ", text)


def _kept(text: str, spans: Iterator[tuple[int, int]]) -> str:
    parts: list[str] = []
    position = 0
    for start, end in spans:
        parts += [blank(text[position:start]), _prose(text[start:end])]
        position = end
    return "".join([*parts, blank(text[position:])])


def _prose(text: str) -> str:
    """Without the characters that begin the lines of a comment."""
    return re.sub(r"^[ \t]*(?:#+|//+|/?\*+)", lambda match: blank(match.group()), text, flags=re.MULTILINE)


def _python_spans(text: str) -> Iterator[tuple[int, int]]:
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    middle = getattr(tokenize, "FSTRING_MIDDLE", None)  # Python 3.12 and later
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        is_string = token.type in (tokenize.STRING, middle)
        if token.type == tokenize.COMMENT or (is_string and _WORDS.search(token.string)):
            start = starts[token.start[0] - 1] + token.start[1]
            for first, last in _string_spans(token.string) if is_string else ((0, len(token.string)),):
                yield start + first, start + last


def _string_spans(string: str) -> Iterator[tuple[int, int]]:
    """Text in a string: in an f-string, what is outside its values, and the strings with words within them."""
    position = 0
    for field in _FIELD.finditer(string) if re.match(r"[rR]?[fF]", string) else ():
        yield position, field.start(1)
        for nested in _NESTED.finditer(string, field.start(1), field.end(1)):
            if _WORDS.search(nested.group()):
                yield nested.span()
        position = field.end(1)
    yield position, len(string)


def _names(node: ast.AST) -> Iterator[tuple[str, int]]:
    match node:
        case ast.Name(id=name, ctx=ast.Store(), lineno=line) | ast.arg(arg=name, lineno=line):
            yield name, line
        case ast.FunctionDef(name=name, lineno=line) | ast.AsyncFunctionDef(name=name, lineno=line):
            yield name, line
        case ast.ClassDef(name=name, lineno=line):
            yield name, line
        case ast.ExceptHandler(name=str(name), lineno=line) | ast.MatchAs(name=str(name), lineno=line):
            yield name, line
        case ast.alias(asname=str(name), lineno=line):
            yield name, line
        case _:
            return
