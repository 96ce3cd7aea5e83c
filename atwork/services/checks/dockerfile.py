"""Read a Dockerfile as BuildKit does: its stages, their base images and users.

A port of what decides this in BuildKit's parser (frontend/dockerfile/parser and instructions): directives, comments,
continued lines, here-documents, options of instructions, names of stages, and variables. Tests compare it with
BuildKit. Nothing is executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from atwork.errors import UserError

_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
_DIRECTIVES = ("syntax", "escape", "check")
_HEREDOC = re.compile(r"(?:^|\s)\d*<<(-?)\s*(?:\"([^\"<]+)\"|'([^'<]+)'|([^\s<\"']+))")
_STAGE = re.compile(r"[a-z][a-z0-9_.-]*")
_VARIABLE = re.compile(r"\$(?:(?P<name>\w+)|\{(?P<braced>\w+)(?:(?P<sign>:?[-+?])(?P<word>[^{}]*))?\})")
_ARCHITECTURE = {"OS": "linux", "ARCH": "amd64", "PLATFORM": "linux/amd64", "VARIANT": "", "OSVERSION": ""}
PREDEFINED: Mapping[str, str] = {
    f"{side}{name}": value for side in ("TARGET", "BUILD") for name, value in _ARCHITECTURE.items()
}
"""Variables that BuildKit sets, https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope."""


class DockerfileError(UserError):
    """A Dockerfile that BuildKit refuses."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Instruction:
    """One instruction with its continued lines."""

    name: str
    """In capital letters."""
    arguments: str
    """Without options such as `--platform`."""
    line: int


@dataclass
class BuildStage:
    """One stage."""

    name: str
    """In lower case; "" if it has none."""
    image: str
    """What follows FROM, with the values of variables; "" if a variable has no value."""
    written: str
    """What follows FROM in the file."""
    line: int
    base: int | None
    """Position of the stage that it begins with; None for an image."""
    user: tuple[str, int] | None = None
    """The last USER with the values of variables, and its line."""
    variables: dict[str, str] = field(default_factory=dict[str, str])


def read_stages(text: str) -> list[BuildStage]:
    """The stages in their order. Raises `DockerfileError` where BuildKit refuses the file."""
    stages: list[BuildStage] = []
    arguments: dict[str, str] = dict(PREDEFINED)
    for instruction in instructions(text):
        if instruction.name == "FROM":
            stages.append(_stage(instruction, stages, arguments))
        elif not stages:
            if instruction.name != "ARG":
                raise DockerfileError(f"{instruction.name} before the first FROM; begin with FROM", instruction.line)
            _assign(_pairs(instruction.arguments), arguments, arguments, arguments)
        else:
            _follow(instruction, stages[-1], arguments)
    if not stages:
        raise DockerfileError("has no FROM; add a stage: FROM image:1.2.3 AS runtime", 0)
    return stages


def chain(stages: Sequence[BuildStage], stage: BuildStage) -> Iterator[BuildStage]:
    """A stage and the stages that it begins with, the nearest first."""
    current: BuildStage | None = stage
    while current is not None:
        yield current
        current = stages[current.base] if current.base is not None else None


def _stage(instruction: Instruction, stages: Sequence[BuildStage], arguments: Mapping[str, str]) -> BuildStage:
    words = instruction.arguments.split()
    if len(words) not in (1, 3) or (len(words) == 3 and words[1].lower() != "as"):
        raise DockerfileError("write FROM IMAGE or FROM IMAGE AS NAME", instruction.line)
    name = words[2].lower() if len(words) == 3 else ""
    if name and not _STAGE.fullmatch(name):
        raise DockerfileError(f"{words[2]} is not a name of a stage; use letters, digits, _, . and -", instruction.line)
    image = expanded(words[0], arguments) or ""
    named = {stage.name: position for position, stage in enumerate(stages) if stage.name}
    base = named.get(image.lower())
    variables = dict(stages[base].variables) if base is not None else {}
    return BuildStage(name, image, words[0], instruction.line, base, variables=variables)


def _follow(instruction: Instruction, stage: BuildStage, arguments: Mapping[str, str]) -> None:
    """Take what an instruction of a stage says about its user."""
    if instruction.name == "USER":
        user = expanded(instruction.arguments, stage.variables)
        stage.user = (instruction.arguments if user is None else user, instruction.line)
    elif instruction.name == "ARG":
        _assign(_pairs(instruction.arguments), stage.variables, stage.variables, arguments)
    elif instruction.name == "ENV":
        first, _, rest = instruction.arguments.partition(" ")
        pairs = _pairs(instruction.arguments) if "=" in first else [(first, rest.strip())]
        _assign(pairs, stage.variables, stage.variables, {})


def _pairs(arguments: str) -> list[tuple[str, str | None]]:
    """NAME=VALUE and NAME, separated by spaces; quotes around a value are removed."""
    result: list[tuple[str, str | None]] = []
    for word in re.findall(r"(?:\"(?:\\.|[^\"\\])*\"|'[^']*'|\\.|[^\s\"'])+", arguments):
        name, equals, value = word.partition("=")
        result.append((name, re.sub(r"[\"']", "", value) if equals else None))
    return result


def _assign(
    pairs: Sequence[tuple[str, str | None]],
    target: dict[str, str],
    scope: Mapping[str, str],
    defaults: Mapping[str, str],
) -> None:
    """Set variables; one without a value has that of the same argument before the first FROM."""
    for name, value in pairs:
        if value is None:
            if name in defaults:
                target[name] = defaults[name]
            continue
        result = expanded(value, scope)
        if result is not None:
            target[name] = result


def expanded(text: str, variables: Mapping[str, str]) -> str | None:
    """A text with the values of its variables; None if a variable has no value and no default."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        name = match["name"] or match["braced"]
        current, sign, word = variables.get(name), match["sign"] or "", match["word"] or ""
        is_set = bool(current) if sign.startswith(":") else current is not None
        if sign.endswith("+"):
            return word if is_set else ""
        if sign.endswith("-"):
            return (current or "") if is_set else word
        missing |= not current
        return current or ""

    result = re.sub(r"^([\"'])(.*)\1$", r"\2", text)
    previous = None
    while previous != result and _VARIABLE.search(result):
        previous, result = result, _VARIABLE.sub(value, result)
    return None if missing else result


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions of a Dockerfile, without comments and here-documents."""
    lines = text.split("\n")
    escape, number = _escape(lines), 0
    continued = re.compile(rf"(?:(?<!{re.escape(escape)}){re.escape(escape)}|^{re.escape(escape)})[ \t]*$")
    while number < len(lines):
        line, begin = lines[number].strip(), number + 1
        number += 1
        if not line or line.startswith("#"):
            continue
        while (match := continued.search(line)) and number < len(lines):
            following = lines[number]
            number += 1
            if following.strip() and not following.lstrip().startswith("#"):
                line = line[: match.start()] + following
        line = continued.sub("", line).strip()
        if not line:
            continue
        name, _, arguments = re.sub(r"[\t\v\f\r ]+", " ", line, count=1).partition(" ")
        if name.upper() in ("RUN", "COPY", "ADD"):
            number = _after_heredocs(arguments, lines, number, begin)
        yield Instruction(name.upper(), re.sub(r"^(?:--\S+\s+)+", "", arguments.strip()).strip(), begin)


def _escape(lines: Sequence[str]) -> str:
    """The character that continues a line: a directive in the first lines may change it."""
    for line in lines:
        match = _DIRECTIVE.match(line.strip())
        if match is None or match[1].lower() not in _DIRECTIVES:
            break
        if match[1].lower() == "escape":
            return match[2]
    return "\\"


def _after_heredocs(arguments: str, lines: Sequence[str], number: int, begin: int) -> int:
    """The number of the first line after the here-documents of an instruction."""
    if arguments.lstrip().startswith("["):
        return number
    for chomp, *words in _HEREDOC.findall(arguments):
        end = next(word for word in words if word)
        while number < len(lines):
            line = lines[number].lstrip("\t") if chomp else lines[number]
            number += 1
            if line == end:
                break
        else:
            raise DockerfileError(f"the here-document {end} has no end; add a line with {end}", begin)
    return number
