"""Which images stay between runs."""

from __future__ import annotations

import os
from pathlib import Path

from atwork.containers.images import image_store


def unpacked(folder: Path, *names: str) -> None:
    """Images in a store, from the one that was used first to the one that was used last."""
    for number, name in enumerate(names):
        (folder / name / "usr").mkdir(parents=True)
        os.utime(folder / name, (number, number))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"in-use"}


def test_the_images_that_were_used_last_stay(tmp_path: Path) -> None:
    images = [f"image-{number}" for number in range(15)]
    unpacked(tmp_path, *images)
    with image_store(Path("crane"), tmp_path):
        assert names(tmp_path) == set(images[3:])


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    unpacked(tmp_path, "whole", "half.unfinished")
    (tmp_path / "half.tar").touch()
    with image_store(Path("crane"), tmp_path):
        assert names(tmp_path) == {"whole"}


def test_nothing_is_removed_while_another_run_uses_the_store(tmp_path: Path) -> None:
    images = [f"image-{number}" for number in range(15)]
    with image_store(Path("crane"), tmp_path):
        unpacked(tmp_path, *images, "now.unfinished")
        with image_store(Path("crane"), tmp_path):
            assert names(tmp_path) == {*images, "now.unfinished"}
    with image_store(Path("crane"), tmp_path):
        assert names(tmp_path) == set(images[3:])
