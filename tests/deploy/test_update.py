"""`atwork up --expect`: what it shows before it changes anything, without an engine."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from support.changes import commit, git, init
from support.checkout import copy
from support.github import BOT, Server
from support.reports import change, stack_report

from atwork.bench.catalogs import add_groups, add_service
from atwork.deploy import update
from atwork.errors import ExitCode
from atwork.github import context
from atwork.github.client import GitHub
from atwork.report.model import StackReport

REPORT = stack_report("production", change("production", "orders"))


class RecordingBackend:
    """A backend that notes when a stack is updated."""

    shared = False
    url = "file://state"

    def __init__(self, output: Callable[[], str]) -> None:
        self._output = output
        self.shown: list[str] = []
        """What was printed before each update."""
        self.names: list[str] = []
        """The stacks that were updated."""

    def stack(self, name: str) -> RecordingBackend:
        self.names.append(name)
        return self

    def up_in_terminal(self, _note: object) -> int:
        self.shown.append(self._output())
        return 0


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RecordingBackend:
    def previews(_backend: object, _checkout: object, stacks: list[str], _watch: object) -> list[StackReport]:
        return [stack_report(stack, change(stack, "orders")) for stack in stacks]

    backend = RecordingBackend(lambda: capsys.readouterr().out)
    monkeypatch.setattr(update, "previews", previews)
    monkeypatch.setattr(update.choice, "chosen", lambda *_arguments: nullcontext(backend))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    return backend


def test_the_update_shows_its_own_table_before_it_changes_anything(backend: RecordingBackend) -> None:
    """The report of the pull request came from the code of the pull request."""
    assert update.up(["production"], REPORT.fingerprint) == 0
    [shown] = backend.shown
    assert "orders" in shown
    assert "spec.replicas: 1 → 2" in shown


def test_what_was_not_approved_is_shown_and_not_made(
    backend: RecordingBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    assert update.up(["production"], "0" * 64) == ExitCode.NOT_APPROVED
    assert backend.shown == []
    assert "spec.replicas: 1 → 2" in capsys.readouterr().out


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with groups that have stacks of their own, in a repository with one commit."""
    folder = copy(tmp_path)
    add_groups(folder, 2, 1)
    init(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PULUMI_BACKEND_URL", "gs://acme-pulumi")
    return folder


@pytest.fixture
def merged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """GitHub, where HEAD merged a pull request of one group, whose report was approved."""
    server = Server()
    url = f"{server.address}/repos/acme/platform/pulls/7"
    server.pulls = [{"url": url, "head": {"sha": "def"}, "merged_at": "2026-11-24"}]
    server.files = ["services/g00/g00-s00.yaml"]
    reports = [stack_report(f"staging{group}", change(f"staging{group}", "orders")) for group in ("", ".g00", ".g01")]
    hub = GitHub("acme/platform", "right", api=server.address)
    hub.state("def", reports)
    monkeypatch.setattr(context, "commit", lambda _name: "abc")
    monkeypatch.setattr(context, "hub", lambda: hub)
    monkeypatch.setattr(context, "bot", lambda: BOT)
    yield server
    server.stop()


def test_an_environment_stands_for_what_the_merge_reaches_of_it(
    backend: RecordingBackend, checkout: Path, merged: Server
) -> None:
    assert update.up(["staging"], "merged") == 0
    assert backend.names == ["staging.g00"]


def test_all_merges_since_a_commit_are_made_each_stack_as_its_newest_report_showed_it(
    backend: RecordingBackend, checkout: Path, merged: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = head(checkout)
    for _ in range(3):
        git(checkout, "commit", "-q", "--allow-empty", "-m", "Merge")
    monkeypatch.setattr(context, "commit", lambda _name: head(checkout))
    files = ["services/g01/g01-s00.yaml", "services/g00/g00-s00.yaml", "services/g00/g00-s00.yaml"]
    commits = context.commits_after(base)
    hub = context.hub()
    monkeypatch.setattr(hub, "merged_files", lambda commit: [files[commits.index(commit)]])
    monkeypatch.setattr(hub, "merged", lambda commit: f"head{commits.index(commit)}")
    for number in range(3):
        change_of_merge = change("staging.g00", f"orders{number}")
        hub.state(f"head{number}", [stack_report("staging.g00", change_of_merge), stack_report("staging.g01")])
    approved = [change("staging.g00", "orders1"), change("staging.g01", "orders")]
    hub.state("head0", [stack_report("staging.g01", approved[1])])
    monkeypatch.setattr(
        update,
        "previews",
        lambda _backend, _checkout, stacks, _watch: [stack_report(stacks[0], approved[stacks[0] == "staging.g01"])],
    )
    assert update.up(["staging"], "merged", since=base) == 0
    assert backend.names == ["staging.g00", "staging.g01"]
    assert context.commits_after("no-such-commit") == context.commits_after("HEAD") == commits[:1]


def test_a_run_after_the_approved_change_was_made_has_nothing_to_do(
    backend: RecordingBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update, "previews", lambda *_arguments: [stack_report("production")])
    assert update.up(["production"], REPORT.fingerprint) == 0
    assert backend.names == []


def head(folder: Path) -> str:
    words = ["git", "rev-parse", "HEAD"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def test_a_job_of_a_pipeline_updates_exactly_its_stacks(
    backend: RecordingBackend, checkout: Path, merged: Server
) -> None:
    merged.asked.clear()
    assert update.up(["staging", "staging.g01"], "merged", groups=False) == 0
    assert backend.names == ["staging", "staging.g01"]
    assert not any("files" in request for request in merged.asked), "what it reaches was asked once, for all jobs"


def test_what_was_not_approved_of_an_environment_stops_its_groups_and_no_others(
    backend: RecordingBackend, checkout: Path, merged: Server
) -> None:
    other = stack_report("staging", change("staging", "another"))
    hub = context.hub()
    hub.state("def", [other, stack_report("staging.g00", change("staging.g00", "orders"))])
    hub.state("def", [stack_report("production.g00", change("production.g00", "orders"))])
    code = update.up(["staging", "staging.g00", "production.g00"], "merged", groups=False)
    assert code == ExitCode.NOT_APPROVED
    assert backend.names == ["production.g00"]


def test_a_stack_that_a_newer_commit_reaches_is_left_to_the_run_of_that_commit(
    backend: RecordingBackend, checkout: Path, merged: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    add_service(checkout, "g00", "another", ["staging"])
    commit(checkout)
    git(checkout, "checkout", "--quiet", "HEAD~1")
    assert update.up(["staging.g00", "staging.g01"], "merged", tip="main", groups=False) == 0
    assert backend.names == ["staging.g01"]
    assert update.up(["staging.g01"], "merged", tip="no-such-commit", groups=False) == 0
    assert backend.names == ["staging.g01"], "git does not know what it changed"
    assert "Left out: staging.g01: a newer commit reaches them" in capsys.readouterr().out


def test_a_stack_without_an_approved_report_does_not_stop_the_others(
    backend: RecordingBackend, checkout: Path, merged: Server
) -> None:
    merged.asked.clear()
    assert update.up(["ci.g00", "staging.g00", "staging.g01"], "merged", groups=False) == ExitCode.FAILED
    assert backend.names == ["staging.g00", "staging.g01"]
    assert "ci.g00: abc merged no pull request whose report of ci.g00 passed" in backend.shown[0]
    assert len([request for request in merged.asked if "check_name=atwork%2Fpreview%2Fstaging&" in request]) == 1
