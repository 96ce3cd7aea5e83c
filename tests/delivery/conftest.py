"""The programs that look at charts and images."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from atwork.toolchain import programs


@pytest.fixture(scope="session")
def helm() -> Path:
    """Helm 3, built first where there is none."""
    return programs.helm(Console(stderr=True))
