"""`pulumi` in the sandbox: the real engine, with the simulated providers served by this process.

The engine's project folder is not where the user stands, so that paths in options are made absolute first.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from atwork.engine.build import ensure
from atwork.engine.runner import run_in_terminal
from atwork.errors import UsageError, reported
from atwork.sandbox.home import Home
from atwork.sandbox.session import opened

_PATH_OPTIONS = (
    "--config-file",
    "--event-log",
    "--file",
    "--import-file",
    "--out",
    "--plan",
    "--policy-pack",
    "--policy-pack-config",
    "--profiling",
    "--save-plan",
    "--tracing",
)
_WRITES = ("set", "set-all", "rm", "rm-all", "cp", "refresh")


def absolute(arguments: Sequence[str]) -> list[str]:
    """The arguments, with the paths in them made absolute."""
    result: list[str] = []
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if equals and option in _PATH_OPTIONS:
            result.append(f"{option}={Path(value).absolute()}")
        elif result and result[-1] in _PATH_OPTIONS:
            result.append(str(Path(argument).absolute()))
        else:
            result.append(argument)
    return result


def stack_of(arguments: Sequence[str]) -> str | None:
    """The stack that the arguments name."""
    for number, argument in enumerate(arguments):
        if argument in ("-s", "--stack") and number + 1 < len(arguments):
            return arguments[number + 1]
        if argument.startswith("--stack="):
            return argument.partition("=")[2]
    return None


def refuse_writes(arguments: Sequence[str]) -> None:
    """`pulumi config set` would change a copy that the next run throws away."""
    words = [argument for argument in arguments if not argument.startswith("-")]
    if words[:1] == ["config"] and words[1:2] and words[1] in _WRITES:
        name = stack_of(arguments) or "NAME"
        raise UsageError(f"the sandbox reads the stack files and never writes them: edit stacks/Pulumi.{name}.yaml")


def run(checkout: Path, arguments: Sequence[str]) -> int:
    """Run the engine as a child and return its exit code."""
    home = Home(checkout)
    refuse_writes(arguments)
    with opened(home, ensure(Console(stderr=True))) as session:
        stack = stack_of(arguments)
        if stack is not None and home.project.stack_file(stack).exists():
            session.ensure_stack(stack)
        return run_in_terminal(
            session.program, absolute(arguments), folder=session.project, environment=session.environment()
        )


def main() -> None:
    """What `.sandbox/bin/pulumi` starts: the checkout, then the engine's own arguments."""
    with reported():
        sys.exit(run(Path(sys.argv[1]), sys.argv[2:]))


if __name__ == "__main__":
    main()
