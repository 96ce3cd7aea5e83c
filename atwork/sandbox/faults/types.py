"""The resource types that a fault may name: as the SDKs call them, or by the last word alone."""

from __future__ import annotations

import difflib

from atwork.errors import UsageError
from atwork.sandbox.provider import schema
from atwork.sandbox.provider.gcp import SERVICES

_PACKAGES = ("gcp", "kubernetes")


def resolved(word: str) -> str:
    """The type that a word means; `UsageError` with the nearest ones where it means none, or several."""
    if not word:
        return ""
    known = [token for package in _PACKAGES for token in schema.tokens(package)]
    if word in known:
        return word
    by_name: dict[str, list[str]] = {}
    for token in known:
        by_name.setdefault(token.rpartition(":")[2], []).append(token)
    named = by_name.get(word, [])
    # Of namesakes the one is meant whose API the platform uses.
    used = [token for token in named if token.startswith("kubernetes:") or _module(token) in SERVICES]
    if len(used or named) == 1:
        return (used or named)[0]
    if named:
        raise UsageError(f"--type {word}: there are {len(named)} types of that name; say which: {', '.join(named)}")
    lower = {token.lower(): token for token in [*known, *by_name]}
    near = [lower[one] for one in difflib.get_close_matches(word.lower(), lower, n=3, cutoff=0.6)]
    advice = f"did you mean {' or '.join(near)}?" if near else "write it as in the state, such as gcp:sql/user:User"
    raise UsageError(f"--type {word}: no such resource type; {advice}")


def _module(token: str) -> str:
    return token.partition("/")[0].removeprefix("gcp:")
