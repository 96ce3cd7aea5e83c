"""runc as BuildKit calls it, without control groups."""

from __future__ import annotations

import sys
from pathlib import Path

from atwork.containers.errors import ContainerError
from atwork.toolchain import machine


def runc() -> str:
    """The path of runc."""
    path = machine.PROGRAMS["runc"].path
    if path is None:
        raise ContainerError(machine.missing(["runc"])[0])
    return path


def write_runtime(folder: Path) -> Path:
    """Write the program that BuildKit starts as its runtime, and return its path."""
    path = folder / "runtime"
    path.write_text(f"#!{sys.executable} -IS\n{_RUNTIME.format(runc=runc())}")
    path.chmod(0o755)
    return path


# With --rootless, runc ignores that it cannot write control groups, unless the container names one.
_RUNTIME = """\
import json, os, sys

if "--bundle" in sys.argv:
    path = os.path.join(sys.argv[sys.argv.index("--bundle") + 1], "config.json")
    with open(path) as file:
        specification = json.load(file)
    specification["linux"].pop("cgroupsPath", None)
    specification["linux"].pop("resources", None)
    with open(path, "w") as file:
        json.dump(specification, file)
os.execv({runc!r}, ["runc", "--rootless=true", *sys.argv[1:]])
"""
