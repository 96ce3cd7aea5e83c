"""A check, and the handling of a call that Google refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from atwork.environments.bootstrap.google_errors import GoogleError, explain_errors


@dataclass(frozen=True)
class Check:
    """The result of one check."""

    name: str
    ok: bool | None
    """None: not checked, or not possible yet; `detail` says why."""
    detail: str
    fix: str = ""
    needed: bool = True
    """Whether a failure blocks the environment; otherwise it is a warning."""

    @property
    def bad(self) -> bool:
        """Whether the check failed and blocks the environment."""
        return self.needed and self.ok is False


def right(name: str, detail: str) -> Check:
    """A check that passed."""
    return Check(name, ok=True, detail=detail)


def wrong(name: str, detail: str, fix: str, *, needed: bool = True) -> Check:
    """A check that failed, with its fix."""
    return Check(name, ok=False, detail=detail, fix=fix, needed=needed)


def ask(name: str, fix: str, query: Callable[[], Check], *, needed: bool = True) -> Check:
    """Run a query of Google; a refused call is a failed check."""
    try:
        with explain_errors(name, fix):
            return query()
    except GoogleError as error:
        return wrong(name, str(error).removeprefix(f"{name}: "), fix, needed=needed)
