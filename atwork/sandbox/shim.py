"""`pulumi` in the sandbox: the real engine; this process serves the simulated providers.

The engine runs in its project folder and not in the working directory: paths in options become absolute.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from atwork.engine import choice
from atwork.engine.build import ensure
from atwork.engine.runner import run_in_terminal
from atwork.errors import UsageError, reported
from atwork.sandbox.home import Home

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
_WRITE_COMMANDS = ("set", "set-all", "rm", "rm-all", "cp", "refresh")


def absolute(arguments: Sequence[str]) -> list[str]:
    """The arguments with absolute paths."""
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
    """The stack in the arguments, if there is one."""
    for number, argument in enumerate(arguments):
        if argument in ("-s", "--stack") and number + 1 < len(arguments):
            return arguments[number + 1]
        if argument.startswith("--stack="):
            return argument.partition("=")[2]
    return None


def refuse_writes(arguments: Sequence[str]) -> None:
    """Refuse `pulumi config set` and its like: they would change a copy that the next run replaces."""
    words = [argument for argument in arguments if not argument.startswith("-")]
    if words[:1] == ["config"] and words[1:2] and words[1] in _WRITE_COMMANDS:
        name = stack_of(arguments) or "NAME"
        raise UsageError(f"the sandbox reads the stack files and never writes them: edit stacks/Pulumi.{name}.yaml")


def run(checkout: Path, arguments: Sequence[str]) -> int:
    """Run the engine as a child process and return its exit code."""
    home = Home(checkout)
    refuse_writes(arguments)
    if {"up", "preview"} & set(arguments):
        choice.prepare_programs()
    from atwork.sandbox.session import opened  # after the line above, because it imports the providers

    with opened(home, ensure(Console(stderr=True))) as session:
        stack = stack_of(arguments)
        if stack is not None and home.project.stack_file(stack).exists():
            session.ensure_stack(stack)
        return run_in_terminal(
            session.program, absolute(arguments), folder=session.project, environment=session.environment()
        )


def main() -> None:
    """Entry point of `.sandbox/bin/pulumi`: its arguments are the checkout and the arguments of the engine."""
    with reported():
        sys.exit(run(Path(sys.argv[1]), sys.argv[2:]))


if __name__ == "__main__":
    main()
