"""What can be wrong with containers on this machine."""

from __future__ import annotations

import os
import shutil

from atwork.errors import UserError

_PROGRAMS = {
    "runc": "apt-get install runc",
    "unshare": "apt-get install util-linux",
    "nsenter": "apt-get install util-linux",
    "mmdebstrap": "apt-get install mmdebstrap",
}


class ContainerError(UserError):
    """A container cannot be built or run; the message says why and what to do."""


def obstacles() -> list[str]:
    """Why this machine cannot build and run containers, each with its fix; empty if it can."""
    missing = [
        f"{name} is missing: run `{fix}` (Debian)" for name, fix in _PROGRAMS.items() if shutil.which(name) is None
    ]
    if os.geteuid() != 0:
        missing.insert(0, "containers need root: run the command with sudo")
    return missing


def check_machine() -> None:
    """Raise `ContainerError` with everything that is missing, in one line."""
    if missing := obstacles():
        raise ContainerError("; ".join(missing))
