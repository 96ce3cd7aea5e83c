"""Whose lock it is, whether its run has ended, and that no other is ever taken away."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console
from support.github import Server

from atwork.engine.process import alive
from atwork.errors import UsageError
from atwork.github.errors import GitHubError
from atwork.locks import commands, model
from atwork.locks.judge import Attempt
from atwork.locks.model import Run
from atwork.locks.note import mine, noted
from atwork.locks.store import FolderStore, StoreError
from atwork.preview.holders import holders

ID = "1f0c77ab-0000-4000-8000-000000000001"
NOW = datetime.now(UTC)
URL = "https://github.com/acme/platform/actions/runs/812"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def held(store: FolderStore, *, pid: int, host: str = "", since: datetime = NOW, lock_id: str = ID) -> str:
    """A lock as the engine writes it."""
    name = f".pulumi/locks/organization/atwork/ci/{lock_id}.json"
    owner = {"pid": pid, "username": "ada", "hostname": host or socket.gethostname(), "timestamp": since.isoformat()}
    store.write(name, json.dumps(owner).encode())
    return name


def by(store: FolderStore, *, pid: int, host: str, **more: object) -> Run:
    """The note of a run, as `atwork up` leaves it."""
    run = Run.model_validate(
        {
            "pid": pid,
            "hostname": host,
            "repository": "acme/platform",
            "run_id": 812,
            "attempt": 2,
            "url": URL,
            "hosted": True,
            **more,
        }
    )
    store.write(f".atwork/runs/ci/{run.name}", run.model_dump_json().encode())
    return run


def gone() -> int:
    """The number of a process that has ended."""
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


def answering(
    status: str, *, started: timedelta = timedelta(hours=-1), ended: timedelta = timedelta(hours=1)
) -> Callable[[str, int, int], Attempt]:
    """What GitHub says of every run."""

    def ask(_repository: str, _run: int, _attempt: int) -> Attempt:
        return Attempt(status, NOW + started, NOW + ended)

    return ask


def free(store: FolderStore, *, local: bool = False, **given: object) -> tuple[int, str]:
    written = io.StringIO()
    console = Console(file=written, width=400, highlight=False)
    return commands.free(store, "ci", console, local=local, **given), written.getvalue()  # pyright: ignore[reportArgumentType]


def test_a_free_stack_is_reported_as_free(store: FolderStore) -> None:
    assert free(store) == (0, "ci is not locked.\n")


def test_a_process_of_this_machine_that_is_gone_holds_nothing(store: FolderStore) -> None:
    name = held(store, pid=gone())
    code, text = free(store, local=True)
    assert code == 0
    assert f"lock 1f0c77ab of ada@{socket.gethostname()}" in text
    assert "is gone" in text
    assert "`pulumi refresh -s ci`" in text
    assert store.read(name) is None


@pytest.mark.parametrize("given", [{}, {"ended": ID}, {"run": URL, "ask": answering("completed")}])
def test_a_process_that_lives_is_never_unlocked(store: FolderStore, given: dict[str, object]) -> None:
    name = held(store, pid=os.getpid())
    code, text = free(store, local=True, **given)
    assert (code, store.read(name) is None) == (1, False)
    assert "a second update at the same time would damage the state" in text


def test_a_number_that_another_process_has_now_is_not_the_owner(store: FolderStore) -> None:
    held(store, pid=os.getpid(), since=NOW - timedelta(days=400))
    assert free(store, local=True)[0] == 0
    assert alive(os.getpid())
    assert not alive(os.getpid(), NOW - timedelta(days=400))


def test_a_lock_of_elsewhere_is_shown_and_left_until_somebody_says_that_it_ended(store: FolderStore) -> None:
    name = held(store, pid=7, host="elsewhere")
    code, text = free(store)
    assert code == 1
    assert "ada@elsewhere, pid 7" in text
    assert "`atwork unlock ci --ended 1f0c77ab`" in text
    for wrong in ("1", "yes", "ffffffff", "1f0c77a"):
        assert free(store, ended=wrong)[0] == 1
    assert store.read(name) is not None
    assert free(store, ended="1f0c77ab")[0] == 0
    assert store.read(name) is None


def test_in_a_bucket_the_name_of_a_machine_proves_nothing(store: FolderStore) -> None:
    """Two laptops may have one name; with the note of `atwork up` the machine is known."""
    pid = gone()
    held(store, pid=pid)
    assert free(store)[0] == 1
    by(store, pid=pid, host=socket.gethostname(), machine=model.machine(), run_id=0)
    assert free(store)[0] == 0
    assert store.names(".atwork") == []


@pytest.mark.parametrize(
    ("status", "note", "code", "reason"),
    [
        ("completed", {}, 0, "has ended, and its machine is gone with it"),
        ("in_progress", {}, 1, "is in progress"),
        ("waiting", {}, 1, "is waiting"),
        ("a_word_of_tomorrow", {}, 1, "is a word of tomorrow"),
        ("completed", {"hosted": False}, 1, "a process may go on there"),
    ],
)
def test_github_is_asked_about_the_run_of_a_lock(
    status: str, note: dict[str, object], code: int, reason: str, store: FolderStore
) -> None:
    name = held(store, pid=7, host="runner")
    by(store, pid=7, host="runner", **note)
    exit_code, text = free(store, ask=answering(status))
    assert (exit_code, reason in text) == (code, True), text
    assert (store.read(name) is None) == (code == 0)


def test_a_run_of_another_time_is_not_the_locks(store: FolderStore) -> None:
    """Machines that are made for a run get the same names and numbers again."""
    held(store, pid=7, host="runner")
    by(store, pid=7, host="runner")
    code, text = free(store, ask=answering("completed", ended=timedelta(minutes=-5)))
    assert code == 1
    assert "it is not this run's" in text


def test_a_run_that_a_person_names_is_asked_about(store: FolderStore) -> None:
    held(store, pid=7, host="runner")
    assert free(store, run=URL, ask=answering("in_progress"))[0] == 1
    assert free(store, run=URL, ask=answering("completed", started=timedelta(minutes=1)))[0] == 1
    with pytest.raises(UsageError, match="give the address of a run"):
        free(store, run="812", ask=answering("completed"))
    with pytest.raises(UsageError, match="GITHUB_TOKEN is not set"):
        free(store, run=URL)
    assert free(store, run=f"{URL}/attempts/2", ask=answering("completed"))[0] == 0


def test_a_lock_that_is_cut_off_is_shown_and_wants_a_person(store: FolderStore) -> None:
    name = f".pulumi/locks/organization/atwork/ci/{ID}.json"
    store.write(name, b'{"pid": 1')
    code, text = free(store, local=True)
    assert code == 1
    assert "somebody (the lock is cut off)" in text
    assert free(store, local=True, ended=ID[:8])[0] == 0


def test_of_two_locks_only_the_ended_one_goes(store: FolderStore) -> None:
    first = held(store, pid=gone())
    second = held(store, pid=os.getpid(), lock_id="2" * 8)
    assert free(store, local=True)[0] == 1
    assert (store.read(first), store.read(second) is None) == (None, False)


def test_other_stacks_locks_are_not_touched(store: FolderStore) -> None:
    held(store, pid=gone())
    store.write(".pulumi/locks/organization/atwork/ci-2/x.json", b"{}")
    assert free(store, local=True)[0] == 0
    assert store.names(".pulumi/locks") == [".pulumi/locks/organization/atwork/ci-2/x.json"]


def test_the_api_is_asked_for_the_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib3.util.retry.time.sleep", lambda _: None)
    server = Server()
    try:
        times = {"run_started_at": "2026-11-25T10:00:00Z", "updated_at": "2026-11-25T11:00:00Z"}
        server.runs = {"812": {"status": "queued", **times}, "812/attempts/2": {"status": "completed", **times}}
        monkeypatch.setenv("GITHUB_TOKEN", "right")
        monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.http.server_port}")
        ask = commands.asker()
        assert ask is not None
        assert ask("acme/platform", 812, 2).over
        assert not ask("acme/platform", 812, 0).over
        with pytest.raises(GitHubError, match=r"could not ask about the run .* answered 404"):
            ask("acme/platform", 9, 0)
    finally:
        server.stop()
    monkeypatch.delenv("GITHUB_TOKEN")
    assert commands.asker() is None


def test_a_note_lives_as_long_as_its_update(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_RUN_ID", "812")
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "2")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/platform")
    monkeypatch.setenv("RUNNER_ENVIRONMENT", "github-hosted")
    with noted(store, "ci", 77, URL, print):
        held(store, pid=77)
        [lock] = model.locks(store, "ci")
        assert lock.run is not None
        assert lock.run == mine(77, URL)
        assert (lock.run.run_id, lock.run.attempt, lock.run.hosted, lock.run.url) == (812, 2, True, URL)
    assert store.names(".atwork") == []
    with pytest.raises(KeyboardInterrupt), noted(store, "ci", 77, URL, print):
        raise KeyboardInterrupt
    assert model.locks(store, "ci")[0].run == mine(77, URL), "a run that is cut off leaves its note next to its lock"


class Closed(FolderStore):
    def read(self, name: str) -> bytes | None:
        raise StoreError("closed")

    def write(self, name: str, content: bytes) -> None:
        raise StoreError("closed")

    def names(self, folder: str) -> list[str]:
        raise StoreError("closed")


def test_an_update_goes_on_where_no_note_can_be_left(tmp_path: Path) -> None:
    messages: list[str] = []
    with noted(Closed(tmp_path), "ci", 77, URL, messages.append):
        pass
    with noted(None, "ci", 77, URL, messages.append):
        pass
    assert messages == ["No note of this run next to the lock: closed"]


def test_the_row_of_a_report_says_who_holds_the_stack(store: FolderStore, tmp_path: Path) -> None:
    held(store, pid=7, host="runner", since=datetime.now(UTC) - timedelta(minutes=5))
    by(store, pid=7, host="runner")
    [holder], unread = holders(store, "ci")
    assert (holder.owner, holder.run, unread) == ("ada@runner, pid 7, for 5 min", URL, "")
    assert holders(store, "staging") == ((), "")
    assert holders(None, "ci")[1].startswith("locks of this kind")
    assert holders(Closed(tmp_path), "ci") == ((), "closed")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: atwork\n")
    (tmp_path / "stacks" / "Pulumi.ci.yaml").write_text("config: {}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_finds_the_sandbox_and_the_backend(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    sandbox = FolderStore(checkout / ".sandbox" / "state")
    held(sandbox, pid=gone())
    assert commands.unlock("ci", run="", ended="") == 0
    assert sandbox.names(".pulumi") == []
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{checkout}/real")
    held(FolderStore(checkout / "real"), pid=os.getpid())
    assert commands.unlock("ci", run="", ended="") == 1
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://bucket")
    with pytest.raises(StoreError, match="s3://bucket: locks are read in file:// and gs:// backends only"):
        commands.unlock("ci", run="", ended="")
    capsys.readouterr()
