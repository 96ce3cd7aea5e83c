"""Namespaces whose pods a command runs as containers, instead of kwok, which only reports that they run."""

from __future__ import annotations

import json
from collections.abc import Collection, Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from atwork.errors import SandboxError
from atwork.files import replace_file

_CLAIM_SECONDS = 5
"""Longer than the gate looks."""


@contextmanager
def claim(folder: Path, namespaces: Collection[tuple[str, str]]) -> Generator[None]:
    """Claim namespaces, as (environment, name), until the end; `SandboxError` if another command claims any."""
    try:
        lock = _lock(folder).acquire(timeout=_CLAIM_SECONDS)
    except Timeout:
        raise SandboxError("another command runs the pods of this sandbox; wait until it ends, or end it") from None
    with lock:
        replace_file(_file(folder), json.dumps(sorted(namespaces)))
        try:
            yield
        finally:
            _file(folder).unlink(missing_ok=True)


def claimed(folder: Path) -> frozenset[tuple[str, str]]:
    """The claims of a command that still runs: the kernel releases the lock of one that was killed."""
    if not _file(folder).exists():
        return frozenset()
    try:
        with _lock(folder).acquire(timeout=0):
            return frozenset()
    except Timeout:
        pass
    try:
        return frozenset((environment, name) for environment, name in json.loads(_file(folder).read_text()))
    except FileNotFoundError:
        return frozenset()


def _file(folder: Path) -> Path:
    return folder / "claims.json"


def _lock(folder: Path) -> FileLock:
    return FileLock(folder / "claims.lock")
