"""Checkpoints of a soak: a long one is continued from its last checkpoint after it was interrupted or killed.

A checkpoint is a folder `step-N` next to the project of the soak: a copy of the project with its sandbox, and a JSON
file with the figures, the expected state and the state of the random walk.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from atwork.sandbox.home import Home
from tools.soak.life import Life
from tools.soak.result import SoakResult

INTERVAL = 50
"""Steps between two checkpoints."""
_PREFIX, _WALK, _FILES = "step-", "walk.json", "project"


class OtherSeed(Exception):
    """The folder has a soak with another seed."""


def project_folder(folder: Path) -> Path:
    """The folder of the project, where the commands of the soak run."""
    return folder / _FILES


def save(folder: Path, life: Life, result: SoakResult) -> None:
    """Save a checkpoint and delete the earlier ones."""
    target = folder / f"{_PREFIX}{result.steps}"
    shutil.rmtree(target, ignore_errors=True)
    _copy(project_folder(folder), target / _FILES)
    walk = {
        "seed": result.seed,
        "steps": result.steps,
        "seconds": result.seconds,
        "actions": result.actions,
        "figures": result.figures,
        "chance": life.chance.getstate(),
        "environments": [{**vars(each), "drifted": sorted(each.drifted)} for each in life.environments],
    }
    # Written last: a checkpoint without it is not complete.
    (target / _WALK).write_text(json.dumps(walk))
    for other in _complete(folder):
        if other != target:
            shutil.rmtree(other)


def latest(folder: Path) -> Path | None:
    """The last complete checkpoint of a soak."""
    return max(_complete(folder), key=_steps, default=None)


def restore(folder: Path, checkpoint: Path, seed: int) -> tuple[Life, SoakResult]:
    """The soak as it was at a checkpoint, with the files of then; `OtherSeed` if it is not the soak of this seed."""
    walk: dict[str, Any] = json.loads((checkpoint / _WALK).read_text())
    if walk["seed"] != seed:
        raise OtherSeed(f"the soak in {folder} has the seed {walk['seed']}: continue it with SEED={walk['seed']}")
    project = project_folder(folder)
    shutil.rmtree(project, ignore_errors=True)
    _copy(checkpoint / _FILES, project)
    life = Life(Home(project), walk["seed"])
    version, internal, gauss = walk["chance"]
    life.chance.setstate((version, tuple(internal), gauss))
    for environment, saved in zip(life.environments, walk["environments"], strict=True):
        environment.settings, environment.drifted = saved["settings"], set(saved["drifted"])
        environment.up, environment.interrupted = saved["up"], saved["interrupted"]
    life.figures.update(walk["figures"])
    result = SoakResult(walk["seed"], walk["steps"], walk["seconds"], figures=life.figures)
    result.actions.update(walk["actions"])
    return life, result


def _copy(source: Path, target: Path) -> None:
    """Copy a folder in another process.

    This one has SQLite databases of the folder open, and loses its locks on a file when it closes the file after a
    copy (https://www.sqlite.org/howtocorrupt.html, section 2.2).
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "--archive", str(source), str(target)], check=True)  # noqa: S607 (from PATH)


def _steps(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix(_PREFIX))


def _complete(folder: Path) -> list[Path]:
    return [path.parent for path in folder.glob(f"{_PREFIX}*/{_WALK}")]
