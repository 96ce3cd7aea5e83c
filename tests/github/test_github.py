"""The comment on a pull request, against a small server that answers as GitHub's API documents it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.events import BUCKET, SQL, error, report, step
from support.github import BOT, Server

from atwork.github import checks
from atwork.github.client import GitHub
from atwork.github.errors import GitHubError
from atwork.report import markdown
from atwork.report.decision import Decision


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("urllib3.util.retry.time.sleep", lambda _: None)
    fake = Server()
    yield fake
    fake.stop()


def api(server: Server, token: str = "right", repository: str = "acme/platform") -> GitHub:  # noqa: S107
    return GitHub(repository, token, api=f"http://127.0.0.1:{server.http.server_port}")


CHANGE = report(step("update", BUCKET, "b", {"a": 1}, {"a": 2}))


def test_the_first_report_is_a_comment_and_the_next_edits_it(server: Server) -> None:
    assert api(server).publish(7, [CHANGE], author=BOT) == "https://c/1"
    assert api(server).publish(7, [report()], author=BOT) == "https://c/1"
    [comment] = server.comments
    assert "no changes" in comment["body"]


def test_it_is_found_behind_hundreds_of_comments_and_never_taken_for_another(server: Server) -> None:
    for number in range(230):
        server.add("ada", f"comment {number}")
    server.add("mallory", f"{markdown.MARKER}\nlooks fine to me")
    server.add(BOT, f"> {markdown.MARKER} is what I look for")
    mine = server.add(BOT, f"{markdown.MARKER}\nold")
    server.add("ada", "thanks")
    api(server).publish(7, [CHANGE], author=BOT)
    assert "changes in ci" in mine["body"]
    assert len(server.comments) == 234
    assert sum("looks fine to me" in comment["body"] for comment in server.comments) == 1


def test_a_long_comment_loses_details_and_never_the_table(server: Server) -> None:
    server.longest = 9000
    wide = report(*(step("update", BUCKET, f"b{n}", {"a": "x" * 99}, {"a": "y" * 99}) for n in range(300)))
    danger = report(step("delete", SQL, "main", {"a": 1}, stack="production"), stack="production")
    api(server).publish(7, [wide, danger], author=BOT)
    [comment] = server.comments
    assert len(comment["body"]) <= 9000
    assert "production DatabaseInstance main: would be deleted; it holds data" in comment["body"]


def test_a_comment_that_is_too_long_without_details_is_an_error(server: Server) -> None:
    server.longest = 10
    with pytest.raises(GitHubError, match="too long even without its details; report fewer stacks at once"):
        api(server).publish(7, [CHANGE], author=BOT)


def test_it_waits_where_github_asks_to_and_tries_again_where_it_stumbles(server: Server) -> None:
    server.refuse = [(403, {"retry-after": "1"}), (429, {}), (502, {})]
    assert api(server).publish(7, [CHANGE], author=BOT) == "https://c/1"
    assert len(server.asked) == 5
    server.refuse = [(502, {})] * 4
    with pytest.raises(GitHubError, match="GitHub answered 502"):
        api(server).publish(7, [CHANGE], author=BOT)


@pytest.mark.parametrize(
    ("token", "repository", "refuse", "message"),
    [
        ("wrong", "acme/platform", [], "answered 401 .*give GITHUB_TOKEN"),
        ("right", "acme/other", [], "answered 404 .*repository, pull request or commit not found"),
        ("right", "acme/platform", [(403, {})], "answered 403 .*which runs of a fork never have"),
    ],
)
def test_a_refusal_says_the_fix(
    token: str, repository: str, refuse: list[tuple[int, dict[str, str]]], message: str, server: Server
) -> None:
    server.refuse = refuse
    with pytest.raises(GitHubError, match=message) as caught:
        api(server, token, repository).publish(7, [CHANGE], author=BOT)
    assert "wrong" not in str(caught.value)


def test_the_fingerprints_are_in_a_check_of_each_environment(server: Server) -> None:
    danger = report(step("delete", SQL, "main", {"a": 1}, stack="production"), stack="production")
    group = report(step("update", BUCKET, "b", {"a": 1}, {"a": 3}, stack="ci.payments"), stack="ci.payments")
    api(server).state("abc", [CHANGE, group, danger], link="https://run/1")
    assert {check["name"]: check["conclusion"] for check in server.checks} == {
        "atwork/preview/ci": "success",
        "atwork/preview/production": "failure",
    }
    assert {status["context"]: status["state"] for status in server.statuses} == {
        "atwork/preview": "failure",
        "atwork/decision": "success",
    }
    assert all(len(status["description"]) <= 140 for status in server.statuses)
    assert api(server).approved("abc", "ci", BOT) == CHANGE.fingerprint
    assert api(server).approved("abc", "ci.payments", BOT) == group.fingerprint
    assert api(server).approved("abc", "staging", BOT) == ""
    assert api(server).approved("abc", "production", BOT) == "", "a report that is red approves nothing"
    api(server).state("abc", [report()])
    assert api(server).approved("abc", "ci", BOT) == report().fingerprint, "the newest counts"
    assert api(server).approved("abc", "ci.payments", BOT) == ""


def test_a_change_that_somebody_accepted_may_be_deployed(server: Server) -> None:
    danger = report(step("delete", SQL, "main", {"a": 1}, stack="production"), stack="production")
    api(server).state("abc", [danger], decided=Decision("subject", by="grace"))
    assert api(server).approved("abc", "production", BOT) == danger.fingerprint


def test_a_check_that_another_app_wrote_approves_nothing(server: Server) -> None:
    api(server).state("abc", [CHANGE])
    forged = {"title": "", "summary": "", "text": f"- `ci` `{'0' * 64}` changes"}
    server.check("abc", "atwork/preview/ci", "success", forged, login="mallory[bot]")
    assert api(server).approved("abc", "ci", BOT) == CHANGE.fingerprint
    server.check("def", "atwork/preview/ci", "success", forged, login="mallory[bot]")
    assert api(server).approved("def", "ci", BOT) == ""


def test_two_thousand_stacks_need_as_many_requests_as_two(server: Server) -> None:
    """GitHub accepts 80 requests in a minute that create something."""
    names = [f"{environment}.group-{number}" for environment in ("ci", "staging") for number in range(1000)]
    every = [
        report(step("update", BUCKET, "b", {"a": 1}, {"a": number}, stack=name), stack=name)
        for number, name in enumerate(names)
    ]
    for reports in ([every[0], every[1000]], every):
        server.asked.clear()
        api(server).publish(7, reports, author=BOT)
        api(server).state("abc", reports)
        assert len([request for request in server.asked if not request.startswith("GET")]) <= 7, server.asked
    assert len(server.comments[0]["body"]) <= 65_536
    for number in (0, 999, 1000, 1999):
        assert api(server).approved("abc", names[number], BOT) == every[number].fingerprint
    assert api(server).approved("abc", "staging.group-1000", BOT) == ""


def test_the_pages_of_an_earlier_check_approve_nothing_that_a_later_one_refuses(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = report(step("update", BUCKET, "b", {"a": 1}, {"a": 2}, stack="ci.z"), stack="ci.z")
    with monkeypatch.context() as small:
        small.setattr(checks, "TEXT_BYTES", 10)
        api(server).state("abc", [CHANGE, other])
        assert api(server).approved("abc", "ci.z", BOT) == other.fingerprint
    api(server).state("abc", [CHANGE, report(error("no"), code=1, stack="ci.z")])
    assert api(server).approved("abc", "ci.z", BOT) == ""


def test_newer_commits_are_reported(server: Server) -> None:
    assert api(server).moved(7, "abc", "base") == []
    server.head, server.tip = "def", "later"
    notes = api(server).moved(7, "abc", "base")
    assert [note.split(";")[0] for note in notes] == ["This is of `abc`", "The base has moved on to `later` since"]


def test_the_approved_change_is_that_of_the_pull_request_that_was_merged(server: Server) -> None:
    assert api(server).merged("abc") == ""
    server.pulls = [{"head": {"sha": "open"}, "merged_at": None}, {"head": {"sha": "def"}, "merged_at": "2026-11-24"}]
    assert api(server).merged("abc") == "def"


def test_the_files_of_a_pull_request_have_both_names_of_what_was_moved(server: Server) -> None:
    server.files = ["services/stock.yaml"]
    server.moved = {"services/payments/ledger.yaml": "services/ledger.yaml"}
    expected = ["services/ledger.yaml", "services/payments/ledger.yaml", "services/stock.yaml"]
    assert api(server).changed_files(7) == expected
    assert api(server).merged_files("abc") is None, "no pull request"
    url = f"{server.address}/repos/acme/platform/pulls/7"
    server.pulls = [{"url": url, "head": {"sha": "def"}, "merged_at": "2026-11-24"}]
    assert api(server).merged_files("abc") == expected
    server.files = [f"docs/{number}.md" for number in range(2999)]
    assert api(server).changed_files(7) is None, "as many as GitHub lists may not be all"
