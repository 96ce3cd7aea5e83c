"""The comment on a pull request, and the fingerprints as checks of its commit, through PyGithub.

The comment is identified by its marker and its author, over all pages of comments: a text that only quotes the marker
is another one. Others can edit a comment, but not a check run, so `atwork up --expect` reads the fingerprint there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from atwork.github import checks
from atwork.github.authors import is_by, login_of
from atwork.github.connection import connect
from atwork.github.errors import GitHubError, github_errors
from atwork.github.files import files_of
from atwork.report import decision, markdown, summary
from atwork.report.decision import Decision, Labelled, Status
from atwork.report.model import StackReport
from infra.stack_name import StackName

if TYPE_CHECKING:
    from github.Commit import Commit
    from github.PullRequest import PullRequest

CONTEXT = "atwork/preview"
_TOO_LARGE, _MISSING = 422, 404
_NOTHING = Decision()


class GitHub:
    """The API of one repository, with the permissions of a token."""

    def __init__(self, repository: str, token: str, *, api: str = "https://api.github.com") -> None:
        self._repository = connect(repository, token, api)
        self._approved: dict[tuple[str, str], dict[str, str]] = {}

    def publish(
        self, number: int, reports: Sequence[StackReport], *, author: str, link: str = "", notes: Sequence[str] = ()
    ) -> str:
        """Create or edit the comment on a pull request; returns its URL."""
        issue = self._repository.get_issue(number)
        with github_errors(f"read the comments of #{number}"):
            comment = next((comment for comment in issue.get_comments() if is_by(comment, author)), None)
        for limit in (markdown.LIMIT, markdown.LIMIT // 2, markdown.LIMIT // 8):
            body = markdown.render(reports, link=link, limit=limit, notes=notes)
            with github_errors("write the comment", ignore=_TOO_LARGE):
                if comment is None:
                    return issue.create_comment(body).html_url
                comment.edit(body)
                return comment.html_url
        raise GitHubError("the comment is too long even without its details; report fewer stacks at once")

    def state(
        self, commit: str, reports: Sequence[StackReport], *, link: str = "", decided: Decision = _NOTHING
    ) -> None:
        """Write a check for each environment with the fingerprints of its stacks, and two statuses.

        The statuses are of the decision and of all stacks. The number of requests does not follow that of the stacks.
        """
        accepted = bool(decided.by)
        for environment in dict.fromkeys(StackName.parse(report.stack).environment for report in reports):
            own = [report for report in reports if StackName.parse(report.stack).environment == environment]
            with github_errors("write the check"):
                check = checks.EnvironmentCheck.of(f"{CONTEXT}/{environment}", own, decided=accepted)
                check.create(self._repository, commit, link)
        self._set_status(commit, decision.CONTEXT, decided.text, link, passing=accepted or not decided.subject)
        passing = summary.is_passing(reports, decided=accepted)
        self._set_status(commit, CONTEXT, summary.verdict(reports), link, passing=passing)

    def _set_status(self, commit: str, context: str, text: str, link: str, *, passing: bool) -> None:
        target = {"target_url": link} if link else {}
        with github_errors("set the status"):
            self._commit(commit).create_status(
                "success" if passing else "failure", context=context, description=text[:140], **target
            )

    def statuses(self, commit: str, context: str) -> list[Status]:
        """The statuses of a commit in one context, the newest first."""
        with github_errors(f"read the statuses of {commit}"):
            return [
                Status(status.state, status.description or "", login_of(status.creator), status.created_at)
                for status in self._commit(commit).get_statuses()
                if status.context == context
            ]

    def approved(self, commit: str, stack: str, author: str) -> str:
        """The fingerprint of a stack in the newest check of its environment; "" if there is none that passed.

        The check of an environment is read once, because its stacks can be many.
        """
        name = f"{CONTEXT}/{StackName.parse(stack).environment}"
        if (commit, name) not in self._approved:
            with github_errors(f"read the checks of {commit}"):
                self._approved[commit, name] = checks.fingerprints(self._commit(commit), name, author)
        return self._approved[commit, name].get(stack, "")

    def labelled(self, number: int, label: str) -> Labelled | None:
        """Who added the label that a pull request has now, and when."""
        issue = self._repository.get_issue(number)
        with github_errors(f"read the labels of #{number}"):
            if all(known.name != label for known in issue.get_labels()):
                return None
            events = [event for event in issue.get_events() if event.event == "labeled" and event.label.name == label]
        if not events:
            raise GitHubError(f"the label {label} is on #{number}, and no event says who put it there; add it again")
        newest = max(events, key=lambda event: event.created_at)
        return Labelled(login_of(newest.actor), newest.created_at)

    def unlabel(self, number: int, label: str) -> None:
        """Remove a label from a pull request; nothing if it is not there."""
        with github_errors("take the label off", ignore=_MISSING):
            self._repository.get_issue(number).remove_from_labels(label)

    def role(self, login: str) -> str:
        """The role of a user in the repository; "" for a user who has none."""
        with github_errors("ask for a role", ignore=_MISSING):
            return self._repository.get_collaborator_role_name(login)
        return ""

    def author(self, number: int) -> str:
        """Who opened a pull request."""
        with github_errors("read the pull request"):
            return login_of(self._repository.get_pull(number).user)

    def moved(self, number: int, head: str, base: str) -> list[str]:
        """Notes for a reader about commits that are newer than the report."""
        notes: list[str] = []
        with github_errors("read the pull request"):
            pull = self._repository.get_pull(number)
            current, branch = pull.head.sha, pull.base.ref
        if head and current != head:
            notes.append(f"This is of `{head[:12]}`; the pull request is at `{current[:12]}` now.")
        with github_errors("read the base branch"):
            tip = self._repository.get_branch(branch).commit.sha
        if base and tip != base:
            notes.append(
                f"The base has moved on to `{tip[:12]}` since; the change is previewed again before it is applied."
            )
        return notes

    def merged(self, commit: str) -> str:
        """The head of the pull request that a commit merged; "" for a commit without a pull request."""
        pull = self._merged(commit)
        return "" if pull is None else pull.head.sha

    def changed_files(self, number: int) -> list[str] | None:
        """The files that a pull request changes, both names of a moved one; None where there are too many to list."""
        with github_errors("read the files of the pull request"):
            return files_of(self._repository.get_pull(number))

    def merged_files(self, commit: str) -> list[str] | None:
        """The same of the pull request that a commit merged; None also for a commit without a pull request."""
        pull = self._merged(commit)
        with github_errors("read the files of the pull request"):
            return None if pull is None else files_of(pull)

    def _merged(self, commit: str) -> PullRequest | None:
        with github_errors("find the merged pull request"):
            return next((pull for pull in self._commit(commit).get_pulls() if pull.merged_at), None)
        return None

    def open(self, head: str, base: str, title: str, body: str) -> str:
        """Open a pull request of a branch; returns its URL."""
        with github_errors("open the pull request"):
            return self._repository.create_pull(base=base, head=head, title=title, body=body).html_url

    def attempt(self, run: int, number: int) -> dict[str, Any]:
        """A workflow run, or one attempt of it if the number is not 0, as GitHub's JSON."""
        path = f"/actions/runs/{run}" + (f"/attempts/{number}" if number else "")
        with github_errors("ask about the run (the token needs actions: read)"):
            # PyGithub has no method for an attempt.
            _, answer = self._repository.requester.requestJsonAndCheck("GET", f"{self._repository.url}{path}")
            return answer

    def _commit(self, commit: str) -> Commit:
        """A commit by its name alone: `get_commit` would read it first."""
        from github.Commit import Commit

        url = f"{self._repository.url}/commits/{quote(commit, safe='')}"
        return Commit(self._repository.requester, attributes={"sha": commit, "url": url})
