"""A soak that was interrupted continues as if it had not been."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.soak import checkpoint
from tools.soak.checkpoint import OtherSeed
from tools.soak.life import Life
from tools.soak.result import SoakResult


def begun(folder: Path, steps: int) -> tuple[Life, SoakResult]:
    life = Life.new(checkpoint.project_folder(folder), 7)
    result = SoakResult(7, steps, 12.5, figures=life.figures)
    result.actions["change"] += 2
    life.change(life.environments[0])
    life.environments[1].up, life.environments[1].drifted = True, {"urn:a", "urn:b"}
    return life, result


def test_a_restored_soak_goes_on_with_the_same_choices_files_and_figures(tmp_path: Path) -> None:
    life, result = begun(tmp_path, 50)
    checkpoint.save(tmp_path, life, result)
    stack_file = life.home.project.stack_file("alpha")
    saved = stack_file.read_text()
    expected, environments, secrets = life.chance.random(), life.environments, life.secrets
    stack_file.write_text("changed after the checkpoint")
    (life.home.checkout / "written-after-the-checkpoint").touch()

    latest = checkpoint.latest(tmp_path)
    assert latest is not None
    again, figures = checkpoint.restore(tmp_path, latest, 7)
    assert again.chance.random() == expected
    assert (again.environments, again.secrets) == (environments, secrets)
    assert figures == result
    assert figures.figures is again.figures
    assert stack_file.read_text() == saved
    assert not (again.home.checkout / "written-after-the-checkpoint").exists()


def test_only_the_last_complete_checkpoint_stays(tmp_path: Path) -> None:
    life, result = begun(tmp_path, 50)
    assert checkpoint.latest(tmp_path) is None
    checkpoint.save(tmp_path, life, result)
    result.steps = 100
    checkpoint.save(tmp_path, life, result)
    (tmp_path / "step-150").mkdir()  # the soak was killed while it saved
    assert checkpoint.latest(tmp_path) == tmp_path / "step-100"
    assert not (tmp_path / "step-50").exists()
    result.steps = 150
    checkpoint.save(tmp_path, life, result)
    assert checkpoint.latest(tmp_path) == tmp_path / "step-150"


def test_another_seed_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    life, result = begun(tmp_path, 50)
    checkpoint.save(tmp_path, life, result)
    kept = life.home.checkout / "kept"
    kept.touch()
    with pytest.raises(OtherSeed, match="SEED=7"):
        checkpoint.restore(tmp_path, tmp_path / "step-50", 8)
    assert kept.exists()
