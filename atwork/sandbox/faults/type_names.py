"""Names of resource types for `--type`: the token of the SDK, or its last part."""

from __future__ import annotations

import difflib

from atwork.errors import UsageError
from atwork.sandbox.provider import schema
from atwork.sandbox.provider.gcp.services import service_of

_PACKAGES = ("gcp", "kubernetes")


def token_of(name: str) -> str:
    """The token of a type name; `UsageError` if there is none, with similar names, or if there are several."""
    if not name:
        return ""
    tokens = [token for package in _PACKAGES for token in schema.tokens(package)]
    if name in tokens:
        return name
    by_class: dict[str, list[str]] = {}
    for token in tokens:
        by_class.setdefault(token.rpartition(":")[2], []).append(token)
    matches = by_class.get(name, [])
    # Types whose API the platform uses come first.
    used = [token for token in matches if token.startswith("kubernetes:") or service_of(token) is not None]
    if len(used or matches) == 1:
        return (used or matches)[0]
    if matches:
        raise UsageError(f"--type {name}: there are {len(matches)} types of that name; say which: {', '.join(matches)}")
    lower = {token.lower(): token for token in [*tokens, *by_class]}
    near = [lower[match] for match in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.6)]
    advice = f"did you mean {' or '.join(near)}?" if near else "write it as in the state, such as gcp:sql/user:User"
    raise UsageError(f"--type {name}: no such resource type; {advice}")
