"""Files that a killed engine leaves in its backend, and how the next command handles them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from atwork.errors import SandboxError
from atwork.sandbox import state_files
from atwork.sandbox.home import Home
from atwork.sandbox.state_files import state_file

COMPLETE = json.dumps({"checkpoint": {"latest": {}}})
HOST = socket.gethostname()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def state(home: Home) -> Path:
    return write(state_file(home, "ci"), COMPLETE)


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def lock(home: Home, pid: int, host: str = HOST, *, name: str = "x.json") -> Path:
    path = home.state / ".pulumi" / "locks" / "organization" / "atwork" / "ci" / name
    return write(path, json.dumps({"pid": pid, "hostname": host}))


@pytest.fixture
def ended() -> int:
    """The PID of an ended process."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.mark.parametrize("name", ["x.json", "x.json.18a.tmp"])
def test_the_lock_of_an_ended_process_is_stale_and_that_of_a_running_one_is_not(
    home: Home, ended: int, name: str
) -> None:
    path = lock(home, ended, name=name)
    assert state_files.stale_locks(home, "ci") == [path]
    lock(home, os.getpid(), name=name)
    with pytest.raises(SandboxError, match=rf"pid {os.getpid()} on .* is changing ci; wait for it"):
        state_files.stale_locks(home, "ci")
    lock(home, 1, "elsewhere", name=name)
    with pytest.raises(SandboxError, match="pid 1 on elsewhere is changing ci"):
        state_files.stale_locks(home, "ci")


@pytest.mark.parametrize("content", ["", '{"pid": 1, "host', "[]", "{}"])
def test_an_incomplete_lock_is_stale_and_removed_before_the_engine_reads_it(
    home: Home, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setattr(state_files, "_WRITING_SECONDS", 0.001)
    running = lock(home, os.getpid(), name="running.json")
    path = write(running.with_name("x.json.18a.tmp"), content)
    state_files.remove_unreadable(home)
    assert (path.exists(), running.exists()) == (False, True)
    running.unlink()
    write(path, content)
    assert state_files.stale_locks(home, "ci") == [path]


def test_a_lock_that_is_being_written_is_waited_for(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(lock(home, os.getpid()), "")
    # The writer finishes while the reader waits.
    monkeypatch.setattr(state_files.time, "sleep", lambda _: lock(home, os.getpid()))
    state_files.remove_unreadable(home)
    assert path.exists()


def test_a_lock_that_is_released_while_it_is_read_is_not_stale(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(lock(home, os.getpid()), "")
    monkeypatch.setattr(state_files.time, "sleep", lambda _: path.unlink())
    state_files.remove_unreadable(home)
    lock(home, os.getpid())
    monkeypatch.setattr(state_files, "alive", lambda _: path.unlink() or True)
    assert state_files.stale_locks(home, "ci") == []


def test_the_attribute_files_of_an_older_sandbox_are_removed_once(home: Home, state: Path) -> None:
    root = home.state / ".pulumi"
    attributes = [
        root / "meta.yaml.attrs",
        state.with_name("ci.json.attrs"),
        state.with_name("ci.json.bak.attrs"),
        root / "history" / "atwork" / "ci" / "ci-1.history.json.attrs",
    ]
    for path in attributes:
        write(path, "")
    state_files.remove_unreadable(home)
    assert [path for path in attributes if path.exists()] == []
    assert state.read_text() == COMPLETE
    # Nothing writes them any more, and the search through a long history takes time.
    write(attributes[1], "")
    state_files.remove_unreadable(home)
    assert attributes[1].exists()


def test_temporary_files_of_a_stack_are_removed_and_those_of_others_are_not(home: Home, state: Path) -> None:
    root = home.state / ".pulumi"
    left = [
        root / "meta.yaml.18a.tmp",
        state.with_name("ci.json.18a.tmp"),
        state.with_name("ci.json.bak.18b.tmp"),
        state.with_name("ci.pulumi-tags.18b.tmp"),
        root / "history" / "atwork" / "ci" / "ci-1.history.json.18c.tmp",
        root / "backups" / "atwork" / "ci" / "ci.1.json.18d.tmp",
    ]
    others = [state.with_name("ci-2.json.18a.tmp"), root / "history" / "atwork" / "ci-2" / "a.18a.tmp"]
    for path in [*left, *others]:
        write(path, "half")
    assert len(state_files.repair(home, "ci")) == len(left)
    assert [path for path in [*left, *others] if path.exists()] == others
    assert state_files.repair(home, "ci") == []


def test_a_damaged_state_is_restored_from_its_copy(home: Home, state: Path) -> None:
    write(state.with_name("ci.json.bak"), COMPLETE)
    state.write_text(COMPLETE[:20])
    assert state_files.repair(home, "ci") == ["restored ci.json, which was damaged, from ci.json.bak"]
    assert state.read_text() == COMPLETE


def test_without_an_intact_copy_the_error_names_the_fix(home: Home, state: Path) -> None:
    state.write_text("")
    with pytest.raises(SandboxError, match=r"ci\.json: damaged, and so is its copy; `atwork sandbox reset`"):
        state_files.repair(home, "ci")
