"""One thing that was looked at, and how a look ends that Google refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from atwork.environments.bootstrap.google import GoogleError, explain_errors


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool | None
    """None: it was not looked at, or cannot be yet; `detail` says why."""
    detail: str
    fix: str = ""
    needed: bool = True
    """Whether it stands in the way."""

    @property
    def bad(self) -> bool:
        """Whether it stands in the way."""
        return self.needed and self.ok is False


def right(name: str, detail: str) -> Check:
    """What is as it should be."""
    return Check(name, ok=True, detail=detail)


def wrong(name: str, detail: str, fix: str, *, needed: bool = True) -> Check:
    """What is not, with its fix."""
    return Check(name, ok=False, detail=detail, fix=fix, needed=needed)


def asked(name: str, fix: str, look: Callable[[], Check], *, needed: bool = True) -> Check:
    """A check that Google may refuse to answer."""
    try:
        with explain_errors(name, fix):
            return look()
    except GoogleError as error:
        return wrong(name, str(error).removeprefix(f"{name}: "), fix, needed=needed)
