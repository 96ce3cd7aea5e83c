"""Errors of the access model."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from atwork.errors import UserError


class AccessError(UserError):
    """A principal, permission, resource, role or condition that the model does not know; the message has the fix."""


def near(name: str, names: Iterable[str]) -> str:
    """The end of a message: which known names are like one that is not known."""
    found = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"; did you mean {', '.join(found)}?" if found else ""
