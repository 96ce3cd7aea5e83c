"""What can be wrong with containers on this machine."""

from __future__ import annotations

import os

from atwork.errors import UserError
from atwork.toolchain import machine

PROGRAMS = ("runc", "unshare", "nsenter", "mmdebstrap")


class ContainerError(UserError):
    """A container cannot be built or run; the message says why and what to do."""


def obstacles() -> list[str]:
    """Why this machine cannot build and run containers, each with its fix; empty if it can."""
    root = [] if os.geteuid() == 0 else ["containers need root: run the command with sudo"]
    return [*root, *machine.missing(PROGRAMS)]


def check_machine() -> None:
    """Raise `ContainerError` with everything that is missing, in one line."""
    if problems := obstacles():
        raise ContainerError("; ".join(problems))
