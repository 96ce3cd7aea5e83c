"""Which images stay between runs."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from atwork.containers.errors import ContainerError
from atwork.containers.images import ImageStore, image_store


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


def layout(folder: Path, *layers: Mapping[str, str]) -> Path:
    """The layout of an image whose layers have these files."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def blob(content: bytes) -> dict[str, str]:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"digest": f"sha256:{digest}"}

    archives: list[bytes] = []
    for files in layers:
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content.encode()))
        archives.append(archive.getvalue())
    described = [blob(archive) for archive in archives]
    config = {"config": {"Env": ["A=1"]}, "rootfs": {"diff_ids": [each["digest"] for each in described]}}
    manifest = blob(json.dumps({"config": blob(json.dumps(config).encode()), "layers": described}).encode())
    (folder / "index.json").write_text(json.dumps({"manifests": [manifest]}))
    return folder


def test_a_layout_is_unpacked_with_what_its_layers_remove(tmp_path: Path) -> None:
    first = {"etc/kept": "1", "etc/removed": "1", "old/a": "1", "old/b/c": "1", "whole/a": "1"}
    second = {"etc/.wh.removed": "", "old/.wh..wh..opq": "", "old/new": "2", ".wh.whole": ""}
    store = tmp_path / "store"
    store.mkdir()
    image = ImageStore(Path("crane"), store).unpacked(layout(tmp_path / "layout", first, second))
    assert image.environment == {"A": "1"}
    files = {str(path.relative_to(image.root)) for path in image.root.rglob("*") if path.is_file()}
    assert files == {"etc/kept", "old/new"}
    assert ImageStore(Path("crane"), store).unpacked(tmp_path / "layout").root == image.root
    assert names(store) == {image.root.name, f"{image.root.name}.lock"}


def test_a_damaged_layout_is_one_error_and_leaves_nothing(tmp_path: Path) -> None:
    damaged, store = layout(tmp_path / "layout", {"a": "1" * 5000}), tmp_path / "store"
    store.mkdir()
    [archive] = [path for path in (damaged / "blobs" / "sha256").iterdir() if path.read_bytes()[:2] == b"\x1f\x8b"]
    archive.write_bytes(archive.read_bytes()[:40])
    with pytest.raises(ContainerError, match="cannot be unpacked"):
        ImageStore(Path("crane"), store).unpacked(damaged)
    assert {path.suffix for path in store.iterdir()} == {".lock"}
