"""The one comment beside a pull request, and the fingerprint as a status of its commit.

The comment is found by its marker and its author, over all pages of comments: a text that only quotes the marker is not
taken for it. A status cannot be edited as a comment can, so that `atwork up --expect` reads the fingerprint from there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from atwork.errors import BackendError, ExitCode
from atwork.report import decision, markdown, words
from atwork.report.decision import Decision, Labelled, Status
from atwork.report.model import StackReport

CONTEXT = "atwork/preview"
_TOO_LARGE, _MISSING = 422, 404
_FINE = (ExitCode.OK, ExitCode.CHANGES)
"""Codes with which a change may go on."""
_NOTHING = Decision()
_PAGE = 100
_TRIES = 4


class GitHubError(BackendError):
    """GitHub refused; the message says what and the fix."""


class GitHub:
    """The API of one repository, as the owner of a token."""

    def __init__(self, repository: str, token: str, *, api: str = "https://api.github.com") -> None:
        self._client = httpx.Client(
            base_url=f"{api}/repos/{repository}", timeout=30,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json",
                     "X-GitHub-Api-Version": "2022-11-28"},
        )  # fmt: skip

    def publish(
        self, number: int, reports: Sequence[StackReport], *, author: str, link: str = "", notes: Sequence[str] = ()
    ) -> str:
        """Write the comment of a pull request, or edit the one that is there; returns its address."""
        mine = next((one for one in self._comments(number) if _is_ours(one, author)), None)
        for limit in (markdown.LIMIT, markdown.LIMIT // 2, markdown.LIMIT // 8):
            body = {"body": markdown.render(reports, link=link, limit=limit, notes=notes)}
            if mine is None:
                answer = self._call("POST", f"/issues/{number}/comments", json=body)
            else:
                answer = self._call("PATCH", f"/issues/comments/{mine['id']}", json=body)
            if answer.status_code != _TOO_LARGE:
                return str(_checked(answer, "write the comment")["html_url"])
        raise GitHubError("the comment is too long even without its details; report fewer stacks at once")

    def state(
        self, commit: str, reports: Sequence[StackReport], *, link: str = "", decided: Decision = _NOTHING
    ) -> None:
        """Set a status for each stack, with its fingerprint, one for what was decided, and one for all."""
        for report in reports:
            text = f"{report.fingerprint} {words.RESULTS[report.result][1]}"
            fine = words.code([report], decided=bool(decided.by)) in _FINE
            self._status(commit, f"{CONTEXT}/{report.stack}", text, link, fine=fine)
        self._status(commit, decision.CONTEXT, decided.text, link, fine=bool(decided.by) or not decided.subject)
        fine = words.code(reports, decided=bool(decided.by)) in _FINE
        self._status(commit, CONTEXT, words.verdict(reports), link, fine=fine)

    def _status(self, commit: str, context: str, text: str, link: str, *, fine: bool) -> None:
        state = "success" if fine else "failure"
        body = {"state": state, "context": context, "description": text[:140], "target_url": link or None}
        _checked(self._call("POST", f"/statuses/{commit}", json=body), "set the status")

    def statuses(self, commit: str, context: str) -> list[Status]:
        """The statuses of a commit in one context, the newest first."""
        return [
            Status(
                str(one["state"]), str(one["description"] or ""), str((one.get("creator") or {}).get("login", "")),
                datetime.fromisoformat(one["created_at"]),
            )
            for one in self._pages(f"/commits/{commit}/statuses")
            if one["context"] == context
        ]  # fmt: skip

    def approved(self, commit: str, stack: str, author: str) -> str:
        """The fingerprint that a commit's newest status has for a stack; "" where there is none that passed."""
        found = [one for one in self.statuses(commit, f"{CONTEXT}/{stack}") if one.by == author]
        return found[0].text.partition(" ")[0] if found and found[0].state == "success" else ""

    def labelled(self, number: int, label: str) -> Labelled | None:
        """Who put the label on that a pull request has now, and when."""
        if all(one["name"] != label for one in self._pages(f"/issues/{number}/labels")):
            return None
        given = [
            one
            for one in self._pages(f"/issues/{number}/events")
            if one["event"] == "labeled" and one["label"]["name"] == label
        ]
        if not given:
            raise GitHubError(f"the label {label} is on #{number}, and no event says who put it there; put it on anew")
        newest = max(given, key=lambda one: datetime.fromisoformat(one["created_at"]))
        who = str((newest.get("actor") or {}).get("login", ""))
        return Labelled(who, datetime.fromisoformat(newest["created_at"]))

    def unlabel(self, number: int, label: str) -> None:
        """Take a label off a pull request; it is no error if it is off already."""
        answer = self._call("DELETE", f"/issues/{number}/labels/{quote(label, safe='')}")
        if answer.status_code != _MISSING:
            _checked(answer, "take the label off")

    def role(self, login: str) -> str:
        """What somebody is in the repository; "" for somebody who is not in it."""
        answer = self._call("GET", f"/collaborators/{quote(login, safe='')}/permission")
        return "" if answer.status_code == _MISSING else str(_checked(answer, "ask for a role")["role_name"])

    def author(self, number: int) -> str:
        """Who opened a pull request."""
        return str(self._pull(number)["user"]["login"])

    def moved(self, number: int, head: str, base: str) -> list[str]:
        """What a reader has to know of commits that came since the report's."""
        pull = self._pull(number)
        told: list[str] = []
        if head and pull["head"]["sha"] != head:
            told.append(f"This is of `{head[:12]}`; the pull request is at `{pull['head']['sha'][:12]}` now.")
        branch = str(pull["base"]["ref"])
        tip = _checked(self._call("GET", f"/branches/{quote(branch, safe='')}"), "read the base branch")["commit"][
            "sha"
        ]
        if base and tip != base:
            told.append(f"The base has moved on to `{tip[:12]}` since; the change is previewed anew before it is made.")
        return told

    def _pull(self, number: int) -> dict[str, Any]:
        return _checked(self._call("GET", f"/pulls/{number}"), "read the pull request")

    def merged(self, commit: str) -> str:
        """The head of the pull request that a commit merged; "" where it came without one."""
        found = _checked(self._call("GET", f"/commits/{commit}/pulls"), "find the merged pull request")
        return next((str(one["head"]["sha"]) for one in found if one.get("merged_at")), "")

    def open(self, head: str, base: str, title: str, body: str) -> str:
        """Open a pull request of a branch; returns its address."""
        told = {"head": head, "base": base, "title": title, "body": body}
        return str(_checked(self._call("POST", "/pulls", json=told), "open the pull request")["html_url"])

    def attempt(self, run: int, number: int) -> dict[str, Any]:
        """What GitHub says of a run, or of one attempt of it where its number is not 0."""
        path = f"/actions/runs/{run}" + (f"/attempts/{number}" if number else "")
        return _checked(self._call("GET", path), "ask about the run (the token needs actions: read)")

    def _comments(self, number: int) -> Iterator[dict[str, Any]]:
        yield from self._pages(f"/issues/{number}/comments")

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            answer = self._call("GET", path, params={"per_page": _PAGE, "page": page})
            found = _checked(answer, f"read {path}")
            yield from found
            if len(found) < _PAGE:
                return
            page += 1

    def _call(self, method: str, path: str, **given: Any) -> httpx.Response:
        """One call; waits where GitHub asks to, and tries again where it stumbles."""
        for attempt in range(_TRIES):
            answer = self._client.request(method, path, **given)
            wait = _wait(answer, attempt)
            if wait is None or attempt == _TRIES - 1:
                return answer
            time.sleep(wait)
        raise AssertionError  # the loop returns


def _wait(answer: httpx.Response, attempt: int) -> float | None:
    """Seconds until the next try; None where there is no use in one."""
    if answer.status_code in (403, 429) and "retry-after" in answer.headers:
        return min(float(answer.headers["retry-after"]), 60)
    if answer.status_code == 429 or answer.status_code >= 500:
        return float(2**attempt)
    return None


def _is_ours(comment: dict[str, Any], author: str) -> bool:
    mine = str((comment.get("user") or {}).get("login", "")) == author
    return mine and str(comment.get("body", "")).startswith(markdown.MARKER)


def _checked(answer: httpx.Response, doing: str) -> Any:
    if answer.is_success:
        return answer.json()
    fix = {
        401: "the token is not valid; give GITHUB_TOKEN",
        403: "the token may not; it needs pull-requests: write and statuses: write, which runs of a fork never have",
        404: "there is no such repository, pull request or commit, or the token may not see it",
        422: "it does not take this: a like one may be open already",
    }.get(answer.status_code, "")
    raise GitHubError(f"could not {doing}: GitHub answered {answer.status_code}{f' ({fix})' if fix else ''}")
