"""Who wrote what, in the client's objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atwork.report import markdown

if TYPE_CHECKING:
    from github.IssueComment import IssueComment


def login_of(user: Any) -> str:
    """The login of a user; "" for a user whose account was deleted."""
    return "" if user is None else str(user.login)


def is_by(comment: IssueComment, author: str) -> bool:
    """Whether a comment is the report of an author: a text that only quotes the report's marker is not."""
    return login_of(comment.user) == author and (comment.body or "").startswith(markdown.MARKER)
