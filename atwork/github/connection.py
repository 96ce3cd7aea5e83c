"""The connection to the API of GitHub: its token, and how often a request is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from github.Repository import Repository

_PAGE = 100
_RETRIES = 3
_LONGEST_WAIT = 60
"""Seconds that GitHub may ask to wait."""


def connect(name: str, token: str, api: str) -> Repository:
    """A repository, by its name OWNER/NAME; nothing is asked of GitHub yet."""
    import github  # the client is slow to import

    retry = github.GithubRetry(
        total=_RETRIES,
        read=0,  # a request that was sent and not answered may have been carried out
        backoff_factor=1,
        status_forcelist=[429, *range(500, 600)],
        allowed_methods=None,
        raise_on_status=False,
        retry_after_max=_LONGEST_WAIT,
        max_rate_limit_wait=_LONGEST_WAIT,
    )
    client = github.Github(
        base_url=api,
        auth=github.Auth.AppAuthToken(token),  # any kind of token, sent as `Bearer`, as GitHub documents it
        lazy=True,
        per_page=_PAGE,
        retry=retry,
        timeout=30,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )
    return client.get_repo(name)
