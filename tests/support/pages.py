"""The pages of the documentation, with their links, blocks of code and commands."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from support.checkout import ROOT

from tools import language_text

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]

_BLOCK = re.compile(r"^( *)```(\w+)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_SUBSHELL = re.compile(r"\$\(([^()]*)\)")
_PROGRAMS = ("atwork", ".venv/bin/atwork")


@dataclass(frozen=True)
class Block:
    """A fenced block of code."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, without the indentation of their list."""
    text = page.read_text()
    return [
        Block(page, text.count("\n", 0, match.start()) + 1, match[2], textwrap.dedent(match[3]))
        for match in _BLOCK.finditer(text)
    ]


def links(page: Path) -> list[tuple[str, str]]:
    """Path and anchor of each relative link outside of code; either may be empty."""
    text = _INLINE.sub("", language_text.markdown(page.read_text()))
    targets = (match[1] for match in _LINK.finditer(text))
    relative = (target for target in targets if not re.match(r"[a-z]+:", target))
    return [(path, anchor) for path, _, anchor in (target.partition("#") for target in relative)]


def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page in an address."""
    headings = _HEADING.findall(language_text.markdown(page.read_text()))
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def paths(page: Path) -> list[str]:
    """Files and folders of the checkout that a page names in its text; placeholders in capitals are left out."""
    spans = _INLINE.findall(language_text.markdown(page.read_text()))
    folders = "|".join(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("."))
    named = (span for span in spans if re.fullmatch(rf"(?:{folders}|\.github|\.ci)/(?:[\w./-]*(?:/|\.\w+))?", span))
    return [
        span for span in named if not re.search(r"[A-Z]{2}", span.removesuffix("README.md").removesuffix("CODEOWNERS"))
    ]


def commands(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Arguments of each `atwork` command in a page, with the line that has it; lines to type begin with `$ `."""
    text = page.read_text()
    lines = [line for block in blocks(page) for line in block.text.splitlines() if line.startswith("$ ")]
    lines += re.findall(r"^\$ .+$", "\n".join(re.findall(r"<!--.*?-->", text, re.DOTALL)), re.MULTILINE)
    lines += [span for span in _INLINE.findall(language_text.markdown(text)) if span.split()[0] in _PROGRAMS]
    for line in lines:
        for arguments in calls(line.removeprefix("$ ")):
            yield line, arguments


def calls(line: str, programs: Collection[str] = _PROGRAMS) -> Iterator[list[str]]:
    """Arguments of each call of a program in a line of shell."""
    for nested in _SUBSHELL.findall(line):
        yield from calls(nested, programs)
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    arguments: list[str] | None = None
    for word in words:
        if set(word) <= set("();<>|&"):
            if arguments is not None:
                yield arguments
            arguments = None
        elif arguments is not None:
            arguments.append(word)
        elif word in programs:
            arguments = []
    if arguments is not None:
        yield arguments
