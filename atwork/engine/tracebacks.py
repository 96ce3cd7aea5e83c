"""Errors of Python in the program, the policies or a provider: the cause first, then the traceback."""

from __future__ import annotations

import re
from pathlib import Path

_BEGIN = re.compile(r"^(?P<margin>[ +|]*)(?:Exception Group )?Traceback \(most recent call last\):$", re.MULTILINE)
_FRAME = re.compile(r'^[\s|+]*File "(?P<file>[^"]+)", line (?P<line>\d+)', re.MULTILINE)
_FOREIGN = ("/site-packages/", "/dist-packages/", "/lib/python", "<")
"""Parts of paths that are not the company's program: libraries, and code without a file."""


def cause_first(text: str) -> str:
    """An error with the exception and its place in the first line, before the traceback; other texts as they are."""
    reason = cause(text)
    return text if reason == text else f"{reason}\n{text}"


def cause(text: str) -> str:
    """The exception of an error with a traceback, and its place; other texts as they are.

    An exception may have a message of several lines, and notes. Of several that were raised one after the other, the
    last is the one that ended the program. Python groups exceptions of parallel tasks; each of them is a cause.
    """
    tracebacks = list(_BEGIN.finditer(text))
    if not tracebacks:
        return text
    grouped = "Exception Group Traceback" in text
    causes: list[str] = []
    last = ""
    for match, following in zip(tracebacks, [*tracebacks[1:], None], strict=True):
        lines = text[match.end() : following.start() if following else len(text)].splitlines()[1:]
        exception = _exception([_without_margin(line, len(match["margin"])) for line in lines])
        if exception:
            last = exception
            causes.append(exception.splitlines()[0] if grouped else exception)
    if not last:
        return text
    exception = f"{causes[0]}: {'; '.join(causes[1:])}" if grouped and causes[1:] else last
    head, newline, rest = exception.partition("\n")
    place = _place(text)
    return f"{head}{f' ({place})' if place else ''}{newline}{rest}"


def _without_margin(line: str, width: int) -> str:
    """A line without the bars that Python draws before the lines of a group."""
    return line[width:] if not line[:width].strip(" +|") else line


def _exception(lines: list[str]) -> str:
    """The exception after the frames of a traceback: its type, its message, and its notes."""
    start = next((number for number, line in enumerate(lines) if line and not line[0].isspace()), None)
    if start is None:
        return ""
    ends = ("During handling of the above", "The above exception was", "+-", "---")
    kept: list[str] = []
    for line in lines[start:]:
        if line.lstrip(" |").startswith(ends):
            break
        kept.append(line)
    return "\n".join(kept).strip()


def _place(text: str) -> str:
    """FILE:LINE of the innermost frame of the program."""
    frames = [frame for frame in _FRAME.finditer(text) if not any(part in frame["file"] for part in _FOREIGN)]
    if not frames:
        return ""
    file = Path(frames[-1]["file"])
    here = Path.cwd()
    return f"{file.relative_to(here) if file.is_relative_to(here) else file}:{frames[-1]['line']}"
