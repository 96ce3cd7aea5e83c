"""Errors that the user can fix, the exit codes of commands, and the one place that prints such an error.

Each error is a `UserError`. Its message names what is wrong and what to do; no traceback is shown.
"""

from __future__ import annotations

import errno
import sys
import tempfile
from collections.abc import Callable, Generator
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


_FULL = (errno.ENOSPC, errno.EDQUOT)


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
def reported(shown: Callable[[str], str] = str) -> Generator[None]:
    """End the process with one message and exit code 1 when the block raises a `UserError`, or when a disk is full.

    `shown` makes what is printed of the error's message.
    """
    try:
        yield
    except UserError as error:
        message = shown(str(error))
    except OSError as error:
        if error.errno not in _FULL:
            raise
        place = error.filename or tempfile.gettempdir()
        message = f"{place}: the disk is full; free some space, or set TMPDIR to a folder of another disk"
    else:
        return
    print(f"error: {message}", file=sys.stderr)
    sys.exit(ExitCode.FAILED)
