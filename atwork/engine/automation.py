"""The commands of pulumi.automation that need no events.

Only the operations that use them import this module: pulumi.automation takes longer to import than the rest of the
command line.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pulumi.automation import CommandResult, LocalWorkspace, OnOutput, PulumiCommand

from atwork.engine import runner

if TYPE_CHECKING:
    from atwork.engine.backend import Backend


class LocatedCommand(PulumiCommand):
    """The `PulumiCommand` of pulumi.automation for an engine that was already located; its version is not checked."""

    def __init__(self, program: Path) -> None:
        self.command = str(program)
        self.version = None

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnOutput | None = None,
        on_error: OnOutput | None = None,
    ) -> CommandResult:
        """Run a command with `additional_env` as its complete environment."""
        del on_output, on_error  # commands without events print little
        done = runner.run(Path(self.command), args, folder=Path(cwd), environment=additional_env)
        return CommandResult(done.stdout, done.stderr, done.returncode)


@contextmanager
def workspace(backend: Backend) -> Generator[LocalWorkspace]:
    """The project of a backend with its engine and environment."""
    with backend.environment() as environment:
        command = LocatedCommand(backend.program)
        yield LocalWorkspace(work_dir=str(backend.project), env_vars=environment, pulumi_command=command)


def list_stacks(backend: Backend) -> dict[str, int]:
    """Names of the stacks of a backend with the number of their resources."""
    with workspace(backend) as project:
        return {stack.name.rpartition("/")[2]: stack.resource_count or 0 for stack in project.list_stacks()}
