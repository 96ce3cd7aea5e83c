"""Checks of GitHub workflows: each returns what is wrong with them, or an empty text."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from atwork.toolchain import programs


def actionlint(files: Iterable[Path]) -> str:
    """Mistakes of syntax, expressions and inputs."""
    program = str(programs.actionlint(Console(stderr=True)))
    return _output([program, "-no-color", "-shellcheck=", "-pyflakes=", *map(str, files)])


def zizmor(folder: Path) -> str:
    """Known weaknesses."""
    program = str(Path(sys.executable).parent / "zizmor")
    return _output([program, "--offline", "--no-progress", "--format", "plain", str(folder)])


def unpinned(text: str) -> list[str]:
    """Lines that use an action without the digest of a commit and its version."""
    uses = (line for line in text.splitlines() if re.search(r"(^|[ -])uses: ", line) and "./.github" not in line)
    return [line for line in uses if not re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", line)]


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout or done.stderr
