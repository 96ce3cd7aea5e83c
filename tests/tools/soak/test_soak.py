"""A short soak with another seed each day; `make soak` runs a long one."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console
from support import soak

from tools.soak.actions import ACTIONS
from tools.soak.run import run

pytestmark = pytest.mark.engine
STEPS = 25


def test_a_random_life_leaves_no_orphan_no_ghost_and_no_secret(tmp_path: Path) -> None:
    seed = soak.seed()
    repeat = f"step {{}} of seed {seed}; repeat: make soak STEPS={STEPS} SEED={seed}"
    result = run(tmp_path, seed, STEPS, Console(highlight=False, soft_wrap=True))
    assert result.failure == "", repeat.format(result.steps)
    assert result.steps == STEPS
    assert result.actions.keys() == {action.name for action in ACTIONS}
    for name in ("faults hit", "kills", "cancels", "recoveries", "changes behind", "secrets planted"):
        assert result.figures[name] > 0, f"no {name}: {repeat.format(STEPS)}"
    for name in ("orphans", "ghosts", "differences", "secrets in clear", "locks left"):
        assert result.figures[name] == 0, repeat.format(STEPS)
