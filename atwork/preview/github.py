"""The one comment beside a pull request, and the fingerprint as a status of its commit.

The comment is found by its marker and its author, over all pages of comments: a text that only quotes the marker is not
taken for it. A status cannot be edited as a comment can, so that `atwork up --expect` reads the fingerprint from there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from atwork.preview import markdown, words
from atwork.preview.model import StackReport

CONTEXT = "atwork/preview"
_TOO_LARGE = 422
_PAGE = 100
_TRIES = 4


class GitHubError(Exception):
    """GitHub refused; the message says what and the fix."""


class GitHub:
    """The API of one repository, as the owner of a token."""

    def __init__(self, repository: str, token: str, *, api: str = "https://api.github.com") -> None:
        self._client = httpx.Client(
            base_url=f"{api}/repos/{repository}", timeout=30,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json",
                     "X-GitHub-Api-Version": "2022-11-28"},
        )  # fmt: skip

    def publish(self, number: int, reports: Sequence[StackReport], *, author: str, link: str = "") -> str:
        """Write the comment of a pull request, or edit the one that is there; returns its address."""
        mine = next((one for one in self._comments(number) if _is_ours(one, author)), None)
        for limit in (markdown.LIMIT, markdown.LIMIT // 2, markdown.LIMIT // 8):
            body = {"body": markdown.render(reports, link=link, limit=limit)}
            if mine is None:
                answer = self._call("POST", f"/issues/{number}/comments", json=body)
            else:
                answer = self._call("PATCH", f"/issues/comments/{mine['id']}", json=body)
            if answer.status_code != _TOO_LARGE:
                return str(_checked(answer, "write the comment")["html_url"])
        raise GitHubError("the comment is too long even without its details; report fewer stacks at once")

    def state(self, commit: str, reports: Sequence[StackReport], *, link: str = "") -> None:
        """Set a status for each stack, with its fingerprint, and one for all."""
        for report in reports:
            result = words.RESULTS[report.result][1]
            self._status(commit, f"{CONTEXT}/{report.stack}", [report], f"{report.fingerprint} {result}", link)
        self._status(commit, CONTEXT, reports, words.verdict(reports), link)

    def _status(self, commit: str, context: str, reports: Sequence[StackReport], text: str, link: str) -> None:
        state = "success" if words.code(reports) in (0, 2) else "failure"
        body = {"state": state, "context": context, "description": text[:140], "target_url": link or None}
        _checked(self._call("POST", f"/statuses/{commit}", json=body), "set the status")

    def fingerprint(self, commit: str, stack: str) -> str:
        """The fingerprint that a commit's status has for a stack; "" where there is none."""
        for one in self._pages(f"/commits/{commit}/statuses"):  # the newest comes first
            if one["context"] == f"{CONTEXT}/{stack}":
                return str(one["description"]).partition(" ")[0]
        return ""

    def merged(self, commit: str) -> str:
        """The head of the pull request that a commit merged; "" where it came without one."""
        found = _checked(self._call("GET", f"/commits/{commit}/pulls"), "find the merged pull request")
        return next((str(one["head"]["sha"]) for one in found if one.get("merged_at")), "")

    def open(self, head: str, base: str, title: str, body: str) -> str:
        """Open a pull request of a branch; returns its address."""
        told = {"head": head, "base": base, "title": title, "body": body}
        return str(_checked(self._call("POST", "/pulls", json=told), "open the pull request")["html_url"])

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
