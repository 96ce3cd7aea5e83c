"""Files that a kill cut off while the engine wrote them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from atwork.sandbox.home import Home, SandboxError
from atwork.sandbox.recovery import mend_files
from atwork.sandbox.session import state_file

WHOLE = json.dumps({"checkpoint": {"latest": {}}})


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = state_file(Home(tmp_path), "ci")
    path.parent.mkdir(parents=True)
    path.write_text(WHOLE)
    return path


def test_whole_files_are_left_alone(state: Path, tmp_path: Path) -> None:
    notes = state.with_name("ci.json.attrs")
    notes.write_text("{}")
    assert mend_files(Home(tmp_path), "ci") == []
    assert notes.exists()


def test_cut_off_notes_are_removed_and_those_of_others_are_not(state: Path, tmp_path: Path) -> None:
    for name in ("ci.json.attrs", "ci.json.bak.attrs", "staging.json.attrs"):
        state.with_name(name).touch()
    assert mend_files(Home(tmp_path), "ci") == [
        "removed ci.json.attrs, which a kill had cut off",
        "removed ci.json.bak.attrs, which a kill had cut off",
    ]
    assert state.with_name("staging.json.attrs").exists()


def test_a_cut_off_state_is_taken_from_its_copy(state: Path, tmp_path: Path) -> None:
    state.with_name("ci.json.bak").write_text(WHOLE)
    state.write_text(WHOLE[:20])
    assert mend_files(Home(tmp_path), "ci") == ["put ci.json.bak in the place of ci.json, which a kill had cut off"]
    assert state.read_text() == WHOLE


def test_without_a_whole_copy_the_way_out_is_named(state: Path, tmp_path: Path) -> None:
    state.write_text("")
    with pytest.raises(SandboxError, match=r"ci\.json: damaged, and so is its copy; `atwork sandbox reset`"):
        mend_files(Home(tmp_path), "ci")
