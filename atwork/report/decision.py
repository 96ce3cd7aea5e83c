"""The label that accepts a dangerous change, and that is valid for this change only.

A label does not record who added it, when, or which change was visible. GitHub's events record who and when, and the
statuses of the commit, which nobody can edit, record which change was shown. A label is valid for the change that was
shown before it was added; the job of the report removes it when the change differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from atwork.report.model import StackReport

LABEL = "atwork:allow-destructive"
CONTEXT = "atwork/decision"
_ROLES = frozenset({"admin", "maintain"})
"""Roles that may decide in a repository without approvers."""


@dataclass(frozen=True)
class Labelled:
    """Who added the current label of a pull request, and when."""

    by: str
    at: datetime


@dataclass(frozen=True)
class Status:
    """A status of a commit."""

    state: str
    text: str
    by: str
    at: datetime


class Hub(Protocol):
    """The operations of GitHub that a decision needs."""

    def labelled(self, number: int, label: str) -> Labelled | None:
        """The label of a pull request."""
        ...

    def unlabel(self, number: int, label: str) -> None:
        """Remove a label."""
        ...

    def role(self, login: str) -> str:
        """The role of a user in the repository; "" without a role."""
        ...

    def author(self, number: int) -> str:
        """Who opened a pull request."""
        ...

    def statuses(self, commit: str, context: str) -> Sequence[Status]:
        """The statuses of a commit, the newest first."""
        ...


@dataclass(frozen=True)
class Decision:
    """What needs a decision, and who made it."""

    subject: str = ""
    """A hash of the dangerous changes of all stacks; "" if there are none."""
    by: str = ""
    note: str = ""
    """Markdown for the comment."""

    @property
    def text(self) -> str:
        """The text of the commit status."""
        if not self.subject:
            return "nothing to decide"
        return f"{self.subject} {f'accepted by {self.by}' if self.by else 'needs a decision'}"


def subject(reports: Sequence[StackReport]) -> str:
    """A hash of everything that needs a decision. A label cannot accept a change that a protection blocks."""
    wanted = sorted(f"{item.stack} {item.fingerprint}" for item in reports if item.result == "guarded")
    return hashlib.sha256("\n".join(wanted).encode()).hexdigest() if wanted else ""


def decide(
    hub: Hub,
    number: int,
    reports: Sequence[StackReport],
    *,
    head: str,
    before: str,
    bot: str,
    approvers: Collection[str] = (),
) -> Decision:
    """Check whether a label accepts this change; remove a label that is for another change."""
    wanted = subject(reports)
    if not wanted:
        return Decision()
    label = hub.labelled(number, LABEL)
    if label is None:
        people = "one of the approvers" if approvers else "a maintainer"
        return Decision(
            wanted, note=f"To continue, {people} adds the label `{LABEL}`. It is removed if the change differs."
        )
    reason = _not_allowed(hub, number, label, approvers) or _not_shown(
        hub, wanted, label, head=head, before=before, bot=bot
    )
    if reason:
        hub.unlabel(number, LABEL)
        return Decision(wanted, note=f"The label `{LABEL}` of {_name(label.by)} was removed: {reason}.")
    return Decision(wanted, label.by, f"Accepted by {_name(label.by)} with the label `{LABEL}`, for this change only.")


def _not_allowed(hub: Hub, number: int, label: Labelled, approvers: Collection[str]) -> str:
    """Why a user may not decide; "" if they may."""
    login = label.by.lower()
    if login == hub.author(number).lower():
        return "the author of the pull request may not decide on it"
    if approvers:
        return "" if login in {item.lower() for item in approvers} else "ATWORK_APPROVERS does not list them"
    role = hub.role(label.by)
    return "" if role in _ROLES else f"they have the role {role or 'none'}, and only maintainers may decide"


def _not_shown(hub: Hub, wanted: str, label: Labelled, *, head: str, before: str, bot: str) -> str:
    """Why the label is not for this change; "" if it is."""
    shown = [item for item in hub.statuses(head, CONTEXT) if item.by == bot and item.at < label.at]
    if shown and shown[0].text.startswith(wanted):
        return ""
    earlier = [item for item in hub.statuses(before, CONTEXT) if item.by == bot] if before else []
    if earlier and earlier[0].state == "success" and earlier[0].text.startswith(wanted) and earlier[0].at > label.at:
        return ""  # a push that does not change it
    return "it was added before this change was shown"


def _name(login: str) -> str:
    """A login without a mention."""
    return f"`{login.replace('`', '')}`"
