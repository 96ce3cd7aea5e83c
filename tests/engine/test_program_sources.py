"""The cache of programs that are built from Go modules and from sources of this repository."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from atwork.toolchain import gobuild
from atwork.toolchain.gobuild import Program


def test_a_change_of_own_sources_or_build_tags_is_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gobuild, "ROOT", tmp_path)
    folder = tmp_path / "tools" / "some" / "command"
    folder.mkdir(parents=True)
    (folder.parent / "go.mod").write_text("require example.com/m v1.2.3\n")
    (folder.parent / "go.sum").write_text("")
    program = Program("some", "example.com/m", {"command": "./command"}, minutes=1)
    folders: list[Path] = []
    for text in ("package main // 1", "package main // 2", "package main // 1"):
        (folder / "main.go").write_text(text)
        folders.append(program.folder())
    assert folders[0] == folders[2] != folders[1]
    assert replace(program, tags=("small",)).folder() != program.folder()
