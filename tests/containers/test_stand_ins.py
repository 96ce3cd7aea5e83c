"""Images from Debian packages, and where the packages come from."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest
from rich.console import Console

from atwork.containers.errors import ContainerError
from atwork.containers.layout import write_layout
from atwork.containers.stand_ins import StandIn, debian_mirror, make, stand_in


@pytest.mark.parametrize(
    ("name", "text", "mirror"),
    [
        ("sources.list.d/debian.sources", "Types: deb\nURIs: http://a.example/debian\n", "http://a.example/debian"),
        (
            "sources.list",
            "# deb http://no\ndeb [arch=amd64] http://b.example/debian bookworm main\n",
            "http://b.example/debian",
        ),
        ("sources.list", "deb http://c.example/debian/ bookworm main\n", "http://c.example/debian/"),
    ],
)
def test_the_mirror_is_that_of_the_machine(name: str, text: str, mirror: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    assert debian_mirror(tmp_path) == mirror


def test_a_machine_without_a_mirror_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb https://example.com/debian-security bookworm main\n")
    with pytest.raises(ContainerError, match=r"names no mirror of Debian's packages; add one"):
        debian_mirror(tmp_path)


def test_an_image_that_cannot_be_made_is_one_clear_error() -> None:
    with pytest.raises(
        ContainerError,
        match=r"^mysql: cannot be made from Debian packages .*; python, postgres, redis can be. `atwork sandbox images mysql:TAG`",
    ):
        stand_in("mysql", Console(stderr=True))


def test_another_program_makes_another_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layouts: list[Path] = []

    def bootstrap(recipe: StandIn, tar: Path) -> None:
        tar.write_bytes(recipe.programs["/usr/bin/program"].read_bytes())

    monkeypatch.setattr("atwork.containers.stand_ins.cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr("atwork.containers.stand_ins.check_machine", lambda: None)
    monkeypatch.setattr("atwork.containers.stand_ins.debian_mirror", lambda: "http://a.example/debian")
    monkeypatch.setattr("atwork.containers.stand_ins._bootstrap", bootstrap)
    for content in ("one", "two", "one"):
        program = tmp_path / f"program-{len(layouts)}"
        program.write_text(content)
        recipe = StandIn((), "", programs={"/usr/bin/program": program})
        layouts.append(make("image", recipe, Console(stderr=True)))
    assert layouts[0] == layouts[2] != layouts[1]


def test_a_layout_names_its_content_by_digest(tmp_path: Path) -> None:
    tar = tmp_path / "root.tar"
    tar.write_bytes(b"content" * 1000)
    write_layout(tar, {"Cmd": ["python3"]}, tmp_path / "layout")
    blobs = tmp_path / "layout" / "blobs" / "sha256"
    for path in blobs.iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name

    def blob(descriptor: dict[str, str]) -> bytes:
        content = (blobs / descriptor["digest"].removeprefix("sha256:")).read_bytes()
        assert len(content) == descriptor["size"]
        return content

    manifest = json.loads(blob(json.loads((tmp_path / "layout" / "index.json").read_text())["manifests"][0]))
    config = json.loads(blob(manifest["config"]))
    assert config["config"] == {"Cmd": ["python3"]}
    assert gzip.decompress(blob(manifest["layers"][0])) == tar.read_bytes()
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(tar.read_bytes()).hexdigest()}"]
