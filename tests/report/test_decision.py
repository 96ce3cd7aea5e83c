"""The label that lets a dangerous change pass: who gave it, when, and for which change."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.events import BUCKET, SQL, error, report, step
from support.github import BOT, Server

from atwork.github.client import GitHub
from atwork.github.errors import GitHubError
from atwork.preview import commands
from atwork.report import decision, folder
from atwork.report.decision import LABEL, Decision, Labelled, Status, decide, subject
from atwork.report.model import StackReport


def danger(value: int = 1, stack: str = "production") -> StackReport:
    return report(
        step("replace", SQL, "main", {"a": 0}, {"a": value}, stack=stack), stack=stack, head="abc", base="base"
    )


A, B = danger(1), danger(2)
PLAIN = report(step("update", BUCKET, "b", {"a": 1}, {"a": 2}), head="abc")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("urllib3.util.retry.time.sleep", lambda _: None)
    outcome = Server()
    outcome.roles = {"grace": "maintain", "linus": "write", "ada": "admin"}
    yield outcome
    outcome.stop()


def reported(
    server: Server, *reports: StackReport, head: str = "abc", before: str = "", **more: tuple[str, ...]
) -> Decision:
    """What the report's job does: decide, then set the statuses."""
    hub = GitHub("acme/platform", "right", api=f"http://127.0.0.1:{server.http.server_port}")
    outcome = decide(hub, 7, reports, head=head, before=before, bot=BOT, **more)
    hub.state(head, reports, decided=outcome)
    return outcome


def test_without_the_label_it_is_red_and_says_how_to_go_on(server: Server) -> None:
    outcome = reported(server, A, PLAIN)
    assert (outcome.by, outcome.note) == (
        "",
        f"To continue, a maintainer adds the label `{LABEL}`. It is removed if the change differs.",
    )
    states = {item["context"]: item["state"] for item in server.statuses}
    assert states["atwork/preview"] == states["atwork/decision"] == "failure"
    conclusions = {item["name"]: item["conclusion"] for item in server.checks}
    assert conclusions == {"atwork/preview/production": "failure", "atwork/preview/ci": "success"}


def test_a_maintainer_lets_the_change_pass_that_was_shown(server: Server) -> None:
    reported(server, A)
    server.label(LABEL, "grace")
    outcome = reported(server, A)
    assert outcome.by == "grace"
    assert LABEL in server.labels
    assert server.statuses[0]["state"] == "success"
    assert reported(server, A).by == "grace", "the job may run again"


def test_a_label_for_one_change_never_lets_another_pass(server: Server) -> None:
    reported(server, A)
    server.label(LABEL, "grace")
    assert reported(server, A).by == "grace"
    outcome = reported(server, B)
    assert outcome.by == ""
    assert "was removed: it was added before this change was shown" in outcome.note
    assert server.labels == set()
    server.label(LABEL, "grace")
    assert reported(server, B).by == "grace"


def test_a_label_that_is_there_before_the_change_is_shown_is_for_nothing(server: Server) -> None:
    server.label(LABEL, "grace")
    assert reported(server, A).by == ""
    assert server.labels == set()


def test_a_push_that_changes_nothing_of_it_keeps_the_label(server: Server) -> None:
    reported(server, A, head="one")
    server.label(LABEL, "grace")
    assert reported(server, A, head="one").by == "grace"
    assert reported(server, A, head="two", before="one").by == "grace"
    assert reported(server, A, head="three", before="two").by == "grace"
    assert reported(server, B, head="four", before="three").by == ""


def test_a_push_over_a_change_that_nobody_let_pass_takes_it_off(server: Server) -> None:
    reported(server, A, head="one")
    server.label(LABEL, "grace")
    assert reported(server, A, head="two", before="one").by == "", "the label came before any report of this commit"


@pytest.mark.parametrize(
    ("login", "approvers", "why"),
    [
        ("linus", (), "they have the role write, and only maintainers may decide"),
        ("eve", (), "they have the role none, and only maintainers may decide"),
        ("ada", (), "the author of the pull request may not decide on it"),
        ("Ada", ("ada",), "the author of the pull request may not decide on it"),
        ("grace", ("linus",), "ATWORK_APPROVERS does not list them"),
    ],
)
def test_a_label_of_somebody_who_does_not_decide_is_taken_off(
    login: str, approvers: tuple[str, ...], why: str, server: Server
) -> None:
    reported(server, A)
    server.label(LABEL, login)
    outcome = reported(server, A, approvers=approvers)
    assert outcome.by == ""
    assert outcome.note == f"The label `{LABEL}` of `{login}` was removed: {why}."
    assert server.labels == set()


def test_approvers_that_are_named_decide_whatever_their_role(server: Server) -> None:
    reported(server, A)
    server.label(LABEL, "Linus")
    assert reported(server, A, approvers=("linus",)).by == "Linus"


def test_who_gave_it_last_counts_and_other_labels_do_not(server: Server) -> None:
    reported(server, A)
    server.label(LABEL, "grace")
    server.label("bug", "eve")
    assert reported(server, A).by == "grace"
    server.label(LABEL, "linus")
    assert reported(server, A).by == ""


def test_a_status_of_somebody_else_shows_no_change(server: Server) -> None:
    server.status("abc", decision.CONTEXT, "failure", f"{subject([A])} needs a decision", login="mallory")
    server.label(LABEL, "grace")
    assert reported(server, A).by == ""


def test_a_label_without_an_event_is_an_error(server: Server) -> None:
    reported(server, A)
    server.labels.add(LABEL)
    with pytest.raises(GitHubError, match="no event says who put it there; add it again"):
        reported(server, A)


def test_what_protection_blocks_is_not_let_pass(server: Server) -> None:
    text_ = error('"main" is currently marked for protection')
    blocked = report(step("replace", SQL, "main", {"_protect": True}, {"a": 1}), text_, code=255)
    assert blocked.result == "blocked"
    assert subject([blocked]) == ""
    reported(server, blocked)
    assert {item["state"] for item in server.statuses if "preview" in item["context"]} == {"failure"}


@pytest.fixture
def environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server, in the variables of a job that reports."""
    for name, value in {
        "GITHUB_TOKEN": "right",
        "GITHUB_REPOSITORY": "acme/platform",
        "ATWORK_BOT": BOT,
        "GITHUB_API_URL": server.address,
    }.items():
        monkeypatch.setenv(name, value)
    return server


def test_the_command_leaves_with_2_where_it_is_let_pass_and_3_where_not(
    environment: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.keep([A], tmp_path)
    assert commands.report(tmp_path, 7, ["production"], head="abc") == 3
    assert "To continue, a maintainer adds the label" in environment.comments[0]["body"]
    environment.label(LABEL, "grace")
    assert commands.report(tmp_path, 7, ["production"], head="abc", out=tmp_path / "all") == 2
    assert "production needs a decision" in (tmp_path / "all" / "report.html").read_text()
    assert "Accepted by `grace`" in environment.comments[0]["body"]
    assert commands.report(tmp_path, 7, ["production"], head="another") == 1
    assert "its report is for another commit, abc" in environment.comments[0]["body"]
    assert len(environment.comments) == 1
    capsys.readouterr()


def test_a_stack_that_the_change_cannot_reach_needs_no_report(
    environment: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks = ["ci", "staging", "staging.payments", "production", "production.payments"]
    groups = [PLAIN.model_copy(update={"stack": name}) for name in ("staging.payments", "production.payments")]
    folder.keep(groups, tmp_path)

    environment.files = ["services/payments/ledger.yaml", "docs/traps.md"]
    assert commands.report(tmp_path, 7, stacks, head="abc") == 1, "ci defines the jobs of the group, and has no report"
    assert "2 stacks are left out: their programs read no changed file." in environment.comments[0]["body"]
    folder.keep([PLAIN.model_copy(update={"stack": "ci.payments"})], tmp_path)
    assert commands.report(tmp_path, 7, [*stacks, "ci.payments"], head="abc") == 2
    assert "3 stacks are left out" in environment.comments[0]["body"]
    environment.files = ["docs/traps.md"]
    assert commands.report(tmp_path, 7, stacks, head="abc") == 0
    assert "5 stacks are left out" in environment.comments[0]["body"]
    assert environment.statuses[0]["state"] == "success"
    environment.files = [f"docs/{number}.md" for number in range(3000)]
    assert commands.report(tmp_path, 7, stacks, head="abc") == 1, "more files than GitHub lists reach every stack"
    capsys.readouterr()


def test_a_report_that_cannot_be_read_is_a_failed_row_and_one_that_nobody_expects_is_none(tmp_path: Path) -> None:
    folder.keep([A, PLAIN], tmp_path)
    (tmp_path / "report-ci.json").write_text('{"version": 99, "stack": "ci"}')
    (tmp_path / "report-forged.json").write_text(A.model_copy(update={"stack": "forged"}).model_dump_json())
    result = folder.read(tmp_path, ["ci", "production", "staging"])
    assert [(item.stack, item.result) for item in result] == [
        ("ci", "failed"),
        ("production", "guarded"),
        ("staging", "failed"),
    ]
    assert "report-ci.json is not a report of this version" in result[0].errors[0]
    order = ["ci", "staging", "production"]
    assert [item.stack for item in folder.read(tmp_path, [], order=order)] == ["ci", "production", "forged"]


class Played:
    """A hub of which a history is outcome at random."""

    def __init__(self) -> None:
        self.shown: list[Status] = []
        self.given: Labelled | None = None
        self.clock = itertools.count()

    def labelled(self, number: int, label: str) -> Labelled | None:
        return self.given

    def unlabel(self, number: int, label: str) -> None:
        self.given = None

    def role(self, login: str) -> str:
        return "maintain"

    def author(self, number: int) -> str:
        return "ada"

    def statuses(self, commit: str, context: str) -> list[Status]:
        return [item for item in self.shown if item.by == f"{BOT}"][::-1] if commit else []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["label", "A", "B"]), max_size=12))
def test_whatever_happens_only_the_change_that_was_looked_at_passes(acts: list[str]) -> None:
    """A model of it: the label accepts what was on the screen when it was given, until another change is shown."""
    from datetime import UTC, datetime

    hub, on_screen, accepted = Played(), "", ""
    for act in acts:
        at = datetime.fromtimestamp(next(hub.clock), UTC)
        if act == "label":
            hub.given, accepted = Labelled("grace", at), on_screen
            continue
        change = {"A": A, "B": B}[act]
        outcome = decide(hub, 7, [change], head="abc", before="", bot=BOT)
        if outcome.by:
            assert accepted == act
        else:
            accepted = ""
        hub.shown.append(Status("success" if outcome.by else "failure", outcome.text, BOT, at))
        on_screen = act
