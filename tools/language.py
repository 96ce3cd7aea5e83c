"""Check the project's language: words of tools/language.yaml and British spellings are refused in text and names.

    python -m tools.language            # the check: every file that tools/language-pending.txt does not list
    python -m tools.language PATH…      # every finding in these files and folders, listed or not
    python -m tools.language --prune    # remove the listed paths that have no findings

Text is what people read: Markdown without code, comments, docstrings, and strings that contain words. Code in backticks
and addresses are left out. Vale would check Markdown better, but is a Go program of minutes to build and does not read
Python's names and strings.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import cast

import yaml

from tools import language_text as text_of

ROOT = Path(__file__).parent.parent
WORDS = Path(__file__).with_name("language.yaml")
PENDING = Path(__file__).with_name("language-pending.txt")
_SPACE = r"\s+"
BRITISH = "dictionary_en-GB_to_en-US.txt"
"""A file of codespell; each line is WORD->REPLACEMENT."""

SKIPPED = ("tests/golden/", "tests/real_inputs/", "tools/language.yaml", "tests/tools/test_language.py")
"""Generated files, files that other people wrote, and the words themselves."""


@dataclass(frozen=True)
class LanguageFinding:
    """A word, where it is, and what to write instead."""

    path: str
    line: int
    word: str
    advice: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.word}; write {self.advice}"


@dataclass(frozen=True)
class Words:
    """The reviewed words, ready to search."""

    patterns: tuple[tuple[re.Pattern[str], str], ...]
    british: dict[str, str]
    names: dict[str, str]

    def text(self, path: str, text: str) -> Iterator[LanguageFinding]:
        """Findings in text whose other characters are blanks."""
        for pattern, advice in self.patterns:
            for match in pattern.finditer(text):
                yield LanguageFinding(path, _line(text, match), " ".join(match.group().split()), advice)
        for match in re.finditer(r"[A-Za-z]+", text):
            advice = self.british.get(match.group().lower())
            if advice is not None:
                yield LanguageFinding(path, _line(text, match), match.group(), advice)

    def identifiers(self, path: str, names: Sequence[tuple[str, int]]) -> Iterator[LanguageFinding]:
        """Findings among names with their lines."""
        for name, line in [(Path(path).stem, 1), *names]:
            if name in self.names:
                yield LanguageFinding(path, line, f"the name {name}", self.names[name])


def _line(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.start()) + 1


def patterns() -> list[str]:
    """The reviewed patterns for text, as tools/language.yaml has them."""
    return list(_document()["text"])


@cache
def _document() -> dict[str, dict[str, str]]:
    return cast("dict[str, dict[str, str]]", yaml.safe_load(WORDS.read_text()))


@cache
def words() -> Words:
    """The words of tools/language.yaml and the British spellings that codespell knows."""
    expressions = tuple(
        (re.compile(rf"\b(?:{pattern.replace(' ', _SPACE)})\b", re.IGNORECASE), advice)
        for pattern, advice in _document()["text"].items()
    )
    dictionary = resources.files("codespell_lib").joinpath("data", BRITISH).read_text()
    british = dict(line.split("->", 1) for line in dictionary.splitlines() if "->" in line)
    return Words(expressions, british, _document()["names"])


READERS: tuple[tuple[str, Callable[[str], str], Callable[[str], list[tuple[str, int]]]], ...] = (
    (r".*\.md(\.jinja)?", text_of.markdown, text_of.no_names),
    (r".*\.py", text_of.python, text_of.python_names),
    (r".*\.groovy|(.*/)?Jenkinsfile|.*\.Jenkinsfile", text_of.groovy, text_of.groovy_names),
    (r".*\.(ya?ml|toml|in)|(.*/)?(Makefile|Dockerfile|CODEOWNERS)", text_of.comments, text_of.no_names),
)
"""Pattern of a path, then how its text and its names are read."""


def findings(path: str, content: str) -> list[LanguageFinding]:
    """Every finding in a file, by line."""
    for pattern, text, names in READERS:
        if re.fullmatch(pattern, path):
            prose = text_of.without_code(text(content))
            return sorted(
                [*words().text(path, prose), *words().identifiers(path, names(content))],
                key=lambda finding: finding.line,
            )
    return []


def files() -> list[str]:
    """Paths of the checkout's files, also of new ones."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    paths = set(subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines())
    readable = (path for path in paths if any(re.fullmatch(reader[0], path) for reader in READERS))
    return sorted(path for path in readable if not path.startswith(SKIPPED) and (ROOT / path).is_file())


def below(path: str, folders: Sequence[str]) -> str | None:
    """The listed path that contains a file."""
    return next((folder for folder in folders if path == folder or path.startswith(f"{folder.rstrip('/')}/")), None)


def check(contents: Mapping[str, str], pending: Sequence[str]) -> tuple[list[LanguageFinding], list[str]]:
    """Findings outside the list, and listed paths without any findings."""
    dirty: set[str] = set()
    problems: list[LanguageFinding] = []
    for path, content in contents.items():
        listed = below(path, pending)
        if listed is None:
            problems += findings(path, content)
        elif listed not in dirty and findings(path, content):
            dirty.add(listed)
    return problems, [listed for listed in pending if listed not in dirty]


def pending_paths() -> list[str]:
    """The paths that may still have findings."""
    return [line for line in PENDING.read_text().splitlines() if line and not line.startswith("#")]


def prune(clean: Sequence[str]) -> None:
    """Remove paths from the list."""
    lines = PENDING.read_text().splitlines(keepends=True)
    PENDING.write_text("".join(line for line in lines if line.rstrip("\n") not in clean))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print findings; the exit code is 1 where the check fails."""
    parser = argparse.ArgumentParser(prog="python -m tools.language", description="Check the project's language.")
    parser.add_argument("paths", nargs="*", help="show every finding in these files and folders")
    parser.add_argument("--prune", action="store_true", help="remove listed paths that have no findings")
    options = parser.parse_args(arguments)
    paths = [path.rstrip("/") for path in cast("list[str]", options.paths)]
    contents = {path: (ROOT / path).read_text() for path in files() if not paths or below(path, paths)}
    problems, clean = check(contents, [] if paths else pending_paths())
    if options.prune:
        prune(clean)
        clean = []
    list_name = PENDING.relative_to(ROOT)
    for message in [*problems, *(f"{list_name}: {path} has no findings; remove it from the list" for path in clean)]:
        print(message)
    return 1 if problems or clean else 0


if __name__ == "__main__":
    sys.exit(main())
