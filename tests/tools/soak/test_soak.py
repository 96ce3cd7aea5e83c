"""A short soak with a fixed seed; `make soak` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from tools.soak.run import run

pytestmark = pytest.mark.engine
STEPS, SEED = 25, 5


def test_a_random_life_leaves_no_orphan_no_ghost_and_no_secret(tmp_path: Path) -> None:
    result = run(tmp_path, SEED, STEPS, Console(highlight=False, soft_wrap=True))
    assert result.failure == "", f"step {result.steps}; again: make soak STEPS={STEPS} SEED={SEED}"
    assert result.steps == STEPS
    for name in ("faults hit", "kills", "cancels", "recoveries", "changes behind", "secrets planted"):
        assert result.figures[name] > 0, f"the seed {SEED} shows no {name}: choose another"
    for name in ("orphans", "ghosts", "differences", "secrets in clear", "locks left"):
        assert result.figures[name] == 0
