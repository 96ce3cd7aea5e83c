"""`pulumi` in the sandbox: the real engine, with the simulated providers served beside it.

The engine's project folder is not where the user stands, so that paths in options are made absolute first.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from atwork.engine.build import ensure
from atwork.errors import UsageError, reported
from atwork.sandbox.home import Home
from atwork.sandbox.session import opened

_PATH_OPTIONS = ("--event-log", "--policy-pack", "--policy-pack-config", "--save-plan", "--plan", "--file",
                 "--config-file", "--import-file", "--out", "--tracing", "--profiling")  # fmt: skip
_WRITES = ("set", "set-all", "rm", "rm-all", "cp", "refresh")


def absolute(arguments: Sequence[str]) -> list[str]:
    """The arguments, with the paths in them made absolute."""
    made: list[str] = []
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if equals and option in _PATH_OPTIONS:
            made.append(f"{option}={Path(value).absolute()}")
        elif made and made[-1] in _PATH_OPTIONS:
            made.append(str(Path(argument).absolute()))
        else:
            made.append(argument)
    return made


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
        with session.environment() as environment:
            child = subprocess.Popen(
                [str(session.engine.path), *absolute(arguments)], cwd=home.workspace, env=environment
            )
            # The terminal sends Ctrl-C to the child as well; it decides when to end.
            for one in (signal.SIGINT, signal.SIGTERM):
                signal.signal(
                    one, lambda number, _frame: child.send_signal(number) if number != signal.SIGINT else None
                )
            return child.wait()


def main() -> None:
    """What `.sandbox/bin/pulumi` starts: the checkout, then the engine's own arguments."""
    with reported():
        sys.exit(run(Path(sys.argv[1]), sys.argv[2:]))


if __name__ == "__main__":
    main()
