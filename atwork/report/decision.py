"""The label that lets a dangerous change pass, and that dies with the change it was given for.

A label says neither what was on the screen when it was given nor by whom. GitHub's record of events says who and when,
and the statuses of the commit, which nobody edits, say which change was shown at that moment. A label counts for the
change that was shown before it was given, and for no other; the report's job takes it off when the change differs.
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
"""Who decides in a repository that names no approvers."""


@dataclass(frozen=True)
class Labelled:
    """Who gave the label that is on a pull request now, and when."""

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
    """What is asked of GitHub."""

    def labelled(self, number: int, label: str) -> Labelled | None:
        """The label of a pull request."""
        ...

    def unlabel(self, number: int, label: str) -> None:
        """Take a label off."""
        ...

    def role(self, login: str) -> str:
        """What somebody is in the repository; "" for nobody."""
        ...

    def author(self, number: int) -> str:
        """Who opened a pull request."""
        ...

    def statuses(self, commit: str, context: str) -> Sequence[Status]:
        """The statuses of a commit, the newest first."""
        ...


@dataclass(frozen=True)
class Decision:
    """What has to be decided on, and by whom it was."""

    subject: str = ""
    """Stands for the dangerous changes of all stacks; "" where there are none."""
    by: str = ""
    note: str = ""
    """For the comment, as markup."""

    @property
    def text(self) -> str:
        """The status that keeps it."""
        if not self.subject:
            return "nothing to decide"
        return f"{self.subject} {f'accepted by {self.by}' if self.by else 'needs a decision'}"


def subject(reports: Sequence[StackReport]) -> str:
    """One name for what is to be decided on in all stacks. What a protection blocks cannot be let pass by a label."""
    wanted = sorted(f"{one.stack} {one.fingerprint}" for one in reports if one.result == "guarded")
    return hashlib.sha256("\n".join(wanted).encode()).hexdigest() if wanted else ""


def decide(
    hub: Hub, number: int, reports: Sequence[StackReport], *, head: str, before: str, bot: str,
    approvers: Collection[str] = (),
) -> Decision:  # fmt: skip
    """Whether the label is on that lets this change pass; takes off one that was given for another."""
    wanted = subject(reports)
    if not wanted:
        return Decision()
    label = hub.labelled(number, LABEL)
    if label is None:
        who = "one of the approvers" if approvers else "a maintainer"
        return Decision(wanted, note=f"To go on: {who} adds the label `{LABEL}`. It falls off if the change differs.")
    why = _unfit(hub, number, label, approvers) or _unseen(hub, wanted, label, head=head, before=before, bot=bot)
    if why:
        hub.unlabel(number, LABEL)
        return Decision(wanted, note=f"The label `{LABEL}` of {_name(label.by)} was taken off: {why}.")
    return Decision(wanted, label.by, f"Let pass by {_name(label.by)} with the label `{LABEL}`, for this change only.")


def _unfit(hub: Hub, number: int, label: Labelled, approvers: Collection[str]) -> str:
    """Why somebody does not decide; "" for one who does."""
    login = label.by.lower()
    if login == hub.author(number).lower():
        return "who opened the pull request does not decide on it"
    if approvers:
        return "" if login in {one.lower() for one in approvers} else "ATWORK_APPROVERS does not name them"
    role = hub.role(label.by)
    return "" if role in _ROLES else f"their role is {role or 'none'}, and a maintainer decides"


def _unseen(hub: Hub, wanted: str, label: Labelled, *, head: str, before: str, bot: str) -> str:
    """Why the change is not the one that the label was given for; "" where it is."""
    shown = [one for one in hub.statuses(head, CONTEXT) if one.by == bot and one.at < label.at]
    if shown and shown[0].text.startswith(wanted):
        return ""
    earlier = [one for one in hub.statuses(before, CONTEXT) if one.by == bot] if before else []
    if earlier and earlier[0].state == "success" and earlier[0].text.startswith(wanted) and earlier[0].at > label.at:
        return ""  # a push that changes nothing of it
    return "it was given before this change was shown"


def _name(login: str) -> str:
    """A login that calls nobody."""
    return f"`{login.replace('`', '')}`"
