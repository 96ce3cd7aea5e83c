"""Errors of GitHub with their fixes."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from atwork.errors import BackendError

_FIXES = {
    401: "the token is not valid; give GITHUB_TOKEN",
    403: "the token may not; it needs pull-requests, checks and statuses: write, which runs of a fork never have",
    404: "repository, pull request or commit not found, or the token may not see it",
    422: "it refuses this: the same pull request may be open already",
}


class GitHubError(BackendError):
    """GitHub refused; the message says what and the fix."""


@contextmanager
def github_errors(action: str, *, ignore: int = 0) -> Generator[None]:
    """Report a refusal as `GitHubError`, without the token; leave the block silently at the status `ignore`."""
    import requests
    from github import GithubException

    try:
        yield
    except GithubException as error:
        if error.status == ignore:
            return
        fix = f" ({_FIXES[error.status]})" if error.status in _FIXES else ""
        raise GitHubError(f"could not {action}: GitHub answered {error.status}{fix}") from None
    except requests.RequestException as error:
        raise GitHubError(f"could not {action}: GitHub is not reached ({type(error).__name__})") from None
