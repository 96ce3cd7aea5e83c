"""Programs that neither pip nor Go installs, and the Debian packages that contain them.

`make packages` runs this file before anything is installed, so it imports the standard library only.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_PATH = os.pathsep.join(("/usr/local/sbin", "/usr/sbin", "/sbin"))
"""Debian has some programs outside the PATH of users."""
_VENV = "python3-venv"


@dataclass(frozen=True)
class MachineProgram:
    """A program, and why it is needed."""

    name: str
    package: str
    purpose: str
    others: tuple[str, ...] = ()
    """Names of programs that do as well."""

    @property
    def path(self) -> str | None:
        """Where it is; None if it is missing."""
        if self.name == _VENV:
            return sys.executable if importlib.util.find_spec("ensurepip") else None
        paths = (shutil.which(name) or shutil.which(name, path=_PATH) for name in (self.name, *self.others))
        return next(filter(None, paths), None)


_CONTAINERS = "containers of pipelines and of their tests"
PROGRAMS = {
    program.name: program
    for program in (
        MachineProgram(_VENV, _VENV, "`make setup`"),
        MachineProgram("git", "git", "every command"),
        MachineProgram("make", "make", "the targets of this repository, and tests of Makefiles"),
        MachineProgram("curl", "curl", "deploys into preview namespaces"),
        MachineProgram("runc", "runc", _CONTAINERS),
        MachineProgram("nft", "nftables", "Services on nodes that run pods"),
        MachineProgram("iptables-nft-restore", "iptables", "network policies on nodes that run pods"),
        MachineProgram("unshare", "util-linux", _CONTAINERS),
        MachineProgram("nsenter", "util-linux", _CONTAINERS),
        MachineProgram("setpriv", "util-linux", "databases of nodes that run pods"),
        MachineProgram("mmdebstrap", "mmdebstrap", "images in place of those of Docker Hub"),
        MachineProgram("java", "default-jre-headless", "pipelines without Jenkins, and their tests"),
        MachineProgram("mvn", "maven", "pipelines without Jenkins, and their tests"),
        MachineProgram("kubectl", "kubernetes-client", "tests of the runbooks"),
        MachineProgram("rsvg-convert", "librsvg2-bin", "tests of the picture of the platform"),
        MachineProgram("chromium", "chromium", "tests of the page of reports", ("google-chrome",)),
    )
}
"""By name."""


def absent(names: Iterable[str] = PROGRAMS) -> list[MachineProgram]:
    """Those of these programs that this machine does not have."""
    return [PROGRAMS[name] for name in names if PROGRAMS[name].path is None]


def missing(names: Iterable[str]) -> list[str]:
    """One line for each of these programs that this machine does not have, with the fix."""
    return [
        f"{program.name} is missing: run `make packages` (Debian: apt-get install {program.package})"
        for program in absent(names)
    ]


def main() -> int:
    """Install the missing programs with apt-get, as root or with sudo; returns the exit code."""
    programs = absent()
    if not programs:
        print(f"All programs are installed: {', '.join(PROGRAMS)}")
        return 0
    packages = sorted({program.package for program in programs})
    print("Installing Debian packages for all users of this machine:")
    for program in programs:
        print(f"  {program.package}: {program.name}, for {program.purpose}", flush=True)
    try:
        prefix = _prefix(packages)
    except LookupError as error:
        print(error.args[0], file=sys.stderr)
        return 1
    environment = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"]
    _run([*environment, "update"])  # a mirror that does not answer may be one that is not needed
    code = _run([*environment, "install", "--yes", "--no-install-recommends", *packages])
    left = [program.name for program in absent()]
    if code or left:
        reason = f"apt-get ended with {code}" if code else f"{', '.join(left)} are still missing"
        print(f"{reason}: install {' '.join(packages)} by hand", file=sys.stderr)
        return 1
    return 0


def _prefix(packages: Sequence[str]) -> list[str]:
    """The command that gets the rights of root; `LookupError` with the fix if there is none."""
    if shutil.which("apt-get") is None:
        raise LookupError(f"this system has no apt-get: install {', '.join(packages)} with its own package manager")
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        raise LookupError("only root may install packages: run `make packages` as root")
    return ["sudo"]


def _run(command: Sequence[str]) -> int:
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
