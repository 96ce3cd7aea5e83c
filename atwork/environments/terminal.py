"""Whether there is a person to ask."""

from __future__ import annotations

import sys

from rich.console import Console


def is_interactive(console: Console) -> bool:
    """Whether a person reads the console and can answer."""
    return sys.stdin.isatty() and console.is_terminal
