"""A checkout under git, and commands of `atwork` in it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def atwork(folder: Path, *words: str, code: int = 0) -> str:
    """Run a command that ends with an exit code; returns what it printed."""
    command = [sys.executable, "-c", "from atwork.cli import main; main()", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def git(folder: Path, *words: str) -> None:
    """Run a command of git as some author."""
    identity = ["-c", "user.name=ada", "-c", "user.email=ada@example.com"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def init(folder: Path) -> None:
    """Make a folder the checkout of a new repository."""
    (folder / ".gitignore").write_text(".sandbox\n")
    git(folder, "init", "-q", "-b", "main")
    commit(folder)


def commit(folder: Path) -> None:
    """Commit everything."""
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "A change")


def reports_in(printed: str) -> dict[str, dict[str, Any]]:
    """The reports in what `preview --format json` printed, by stack."""
    reports = json.JSONDecoder().raw_decode(printed[printed.index("[") :])[0]
    return {report["stack"]: report for report in reports}
