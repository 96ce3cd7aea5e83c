"""Finds the Pulumi engine: the one that ATWORK_PULUMI names, the official one on PATH, or the one in the cache."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from atwork.errors import BackendError

OLDEST = (3, 200)
"""The oldest minor version that writes the event log that the sandbox reads."""


class EngineError(BackendError):
    """There is no usable engine; the message says what to do."""


@dataclass(frozen=True)
class Engine:
    """A Pulumi engine that runs."""

    path: Path
    version: str
    origin: Literal["named", "path", "built"]

    @property
    def has_language_host(self) -> bool:
        """Whether it brings its own way to run Python, as the official one does."""
        return (self.path.parent / "pulumi-language-python").exists()


def find_installed() -> Engine | None:
    """Find the engine on this machine; `EngineError` if ATWORK_PULUMI names one that does not run."""
    engine = _installed()
    return None if engine is None else _checked(*engine)


def is_installed() -> bool:
    """Whether an engine is named or on PATH; otherwise, the one in the cache is used. Starts no process."""
    return _installed() is not None


def _installed() -> tuple[Path, Literal["named", "path"]] | None:
    """The engine that is named or on PATH."""
    named = os.environ.get("ATWORK_PULUMI")
    if named:
        return Path(named), "named"
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        candidate = Path(folder or ".", "pulumi")
        if os.access(candidate, os.X_OK) and not _is_shim(candidate):
            return candidate.resolve(), "path"
    return None


def _is_shim(candidate: Path) -> bool:
    """The sandbox's own `pulumi`, a script that would only call itself."""
    with candidate.open("rb") as file:
        return b"atwork.sandbox.shim" in file.read(2048)


def _checked(path: Path, origin: Literal["named", "path", "built"]) -> Engine:
    try:
        done = subprocess.run([str(path), "version"], capture_output=True, text=True, check=False, timeout=60)
    except OSError as error:
        raise EngineError(f"{path}: {error.strerror}; name another engine by ATWORK_PULUMI") from None
    match = re.match(r"v?(\d+)\.(\d+)\S*", done.stdout.strip())
    if done.returncode or match is None:
        raise EngineError(f"{path} does not run: {(done.stderr or done.stdout).strip()[:300]}; reinstall Pulumi")
    if (int(match[1]), int(match[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise EngineError(f"{path} is Pulumi {match[0]}, and {oldest} or later is needed; upgrade it")
    return Engine(path, match[0], origin)


def built(path: Path, version: str) -> Engine:
    """The engine at a place in the cache; it was started once when it was built."""
    return Engine(path, version, "built")


def check(path: Path) -> Engine:
    """Start an engine that was just built, before it is kept."""
    return _checked(path, "built")
