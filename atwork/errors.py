"""Errors that the user can fix, the exit codes of commands, and the one place that prints such an error.

Each error is a `UserError`. Its message names what is wrong and what to do; no traceback is shown.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from enum import IntEnum

from infra.errors import ConfigError, UserError

__all__ = [
    "AccessError",
    "BackendError",
    "ConfigError",
    "ExitCode",
    "SandboxError",
    "UsageError",
    "UserError",
    "reported",
]


class ExitCode(IntEnum):
    """Exit codes of `atwork`."""

    OK = 0
    FAILED = 1
    """An error, or a check that does not pass."""
    CHANGES = 2
    """A preview has changes."""
    REFUSED = 3
    """A preview has a change that would be refused, or `atwork up` refused one."""
    NOT_APPROVED = 4
    """`atwork up --expect`: the change is not the approved one."""


class UsageError(UserError):
    """A flag, an argument or an environment variable is wrong or missing."""


class BackendError(UserError):
    """The engine, the state, its locks, Google, GitHub or Slack refused."""


class SandboxError(UserError):
    """The simulation cannot do what was asked."""


class AccessError(UserError):
    """A principal, permission, resource, role or condition that the access model does not know."""


@contextmanager
def reported() -> Generator[None]:
    """End the process with the error's message and exit code 1 when the block raises a `UserError`."""
    try:
        yield
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(ExitCode.FAILED)
