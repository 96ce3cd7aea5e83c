"""The rehearsals in a page: commands of the blocks marked `console sandbox`, with what they have to show.

A comment `<!-- rehearsal: reason` holds commands that only the rehearsal runs, in the place of what a person does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^(?:```console sandbox|<!-- rehearsal: [^\n]+)\n(.*?)^(?:```|-->)$", re.MULTILINE | re.DOTALL)
_FAILS = re.compile(r"\s+# fails(?:: .*)?$")


@dataclass(frozen=True)
class Command:
    """One line after `$`, and the lines that follow it."""

    line: str
    shows: tuple[str, ...] = ()
    fails: bool = False

    def missing(self, printed: str) -> list[str]:
        """The shown lines that are not in what was printed; `…` stands for anything on the line."""
        spaced = "\n".join(" ".join(line.split()) for line in printed.splitlines())
        return [line for line in self.shows if not _pattern(line).search(spaced)]


def _pattern(line: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(" ".join(part.split())) for part in line.split("…")))


def failures(command: Command, code: int, printed: str) -> list[str]:
    """What is wrong with an exit code and an output; empty where they are as the page says."""
    wrong = [f"not shown: {line}" for line in command.missing(printed)]
    return wrong if bool(code) is command.fails else [f"exit code {code}", *wrong]


def commands(page: Path) -> list[Command]:
    """The rehearsal of a page, in order."""
    rehearsal: list[Command] = []
    for block in _BLOCK.findall(page.read_text()):
        for line in block.splitlines():
            if line.startswith("$ "):
                word = line.removeprefix("$ ")
                rehearsal.append(Command(_FAILS.sub("", word), fails=bool(_FAILS.search(word))))
            elif line.strip():
                last = rehearsal.pop()
                rehearsal.append(Command(last.line, (*last.shows, line.strip()), last.fails))
    return rehearsal
