"""What stays on disk after a pod, and after a run: logs. Root file systems and images have hundreds of megabytes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_LOGS = ("builds/*/log", "builds/*/*.log", "builds/*/pod-*/*.log", "endpoints/*.log", "pods/**/*.log")


def remove_folders(folder: Path, *kept: str) -> None:
    """Remove the folders in the folder of a pod that has ended, also its logins; its files stay."""
    for path in folder.iterdir() if folder.exists() else ():
        if path.is_dir() and path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def run_folder() -> Generator[Path]:
    """A folder for a run, which has only logs at the end; a run that passed removes it."""
    folder = Path(tempfile.mkdtemp(prefix="atwork-run-"))
    try:
        yield folder
    finally:
        if folder.exists():
            keep_logs(folder)


def keep_logs(folder: Path) -> None:
    """Remove everything in the folder of a run but its logs, and the folder if it has none."""
    logs = {path.relative_to(folder): path.read_bytes() for pattern in _LOGS for path in folder.glob(pattern)}
    shutil.rmtree(folder)
    for path, content in logs.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
