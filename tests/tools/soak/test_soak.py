"""A short soak with another seed each day; `make soak` runs a long one."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console
from support import soak

from atwork.engine.forked import POSSIBLE
from tools.soak import checkpoint
from tools.soak.actions import ACTIONS
from tools.soak.run import run

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not POSSIBLE, reason="commands of a soak are forked on Linux only"),
]
STEPS, INTERRUPTED = 25, 12


def test_a_random_life_leaves_no_orphan_no_ghost_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = soak.seed()
    repeat = f"step {{}} of seed {seed}; repeat: make soak STEPS={STEPS} SEED={seed}"
    console = Console(highlight=False, soft_wrap=True)
    monkeypatch.setattr(checkpoint, "INTERVAL", INTERRUPTED)
    assert run(tmp_path, seed, INTERRUPTED, console).failure == "", repeat.format(f"at most {INTERRUPTED}")
    result = run(tmp_path, seed, STEPS, console)  # continues before the end of the first part
    assert result.failure == "", repeat.format(result.steps)
    assert result.steps == STEPS
    assert result.actions.keys() == {action.name for action in ACTIONS}
    for name in ("faults hit", "kills", "cancels", "recoveries", "changes behind", "secrets planted"):
        assert result.figures[name] > 0, f"no {name}: {repeat.format(STEPS)}"
    for name in ("orphans", "ghosts", "differences", "secrets in clear", "locks left"):
        assert result.figures[name] == 0, repeat.format(STEPS)
