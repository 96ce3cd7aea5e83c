"""What messages say of a key that a settings model does not have."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence

from pydantic import BaseModel

from infra.foreign_keys import foreign_key
from infra.schema_paths import schema_at

_REPOSITORY = "stacks/platform.yaml states it (github.repository); remove it here"
_MOVED = {
    "jenkins.github_organization": _REPOSITORY,
    "jenkins.library.repository": _REPOSITORY,
    "jenkins.platform.repository": _REPOSITORY,
    "jenkins.platform.backend": "stacks/platform.yaml states it (admin_project or state_bucket); remove it here",
}
"""Keys that are known and belong elsewhere, with the fix."""

_SAID_OTHERWISE = {
    r"databases\.[^.]+\.(engine|engine_version|database_version)": (
        "version names the engine: write version: MYSQL_8_4 or POSTGRES_18"
    ),
}
"""Keys that other tools have, as regular expressions, with what to write here."""

_RENAMED = {
    r"popups": "preview_namespaces",
    r"preview_namespaces\.namespaces": "count",
    r"(jenkins|external_ci)\.deploys\.[^.]+\.popups": "preview_namespaces",
    r"popup": "ephemeral",
}
"""Old keys of stack files and service files, as regular expressions, with the new key."""

_LEAST_LIKENESS = 0.75
"""Of two keys, by difflib, of which one can be a misspelling of the other."""
_MOST_LISTED = 12


def unknown_key(model: type[BaseModel], path: Sequence[str], present: Collection[str]) -> tuple[str, str]:
    """The key that was meant, empty where that is unclear, and the message; `present` are the keys next to it."""
    dotted = ".".join(path)
    if dotted in _MOVED:
        return "", _MOVED[dotted]
    if otherwise := next((fix for key, fix in _SAID_OTHERWISE.items() if re.fullmatch(key, dotted)), ""):
        return "", otherwise
    new = next((new for old, new in _RENAMED.items() if re.fullmatch(old, dotted)), None)
    if new is not None:
        return new, f"it is now called {new}; rename it"
    if message := foreign_key(dotted):
        return "", message
    known = list(schema_at(model, path[:-1]).get("properties", {}))
    near = _nearest(path[-1], [key for key in known if key not in present])
    if near:
        return near, f"unknown key; did you mean {near}?"
    if known and len(known) <= _MOST_LISTED:
        return "", f"unknown key; remove it, or write one of {', '.join(known)}"
    return "", "unknown key; remove it (schema.json next to the file lists what there is)"


def _nearest(key: str, known: Sequence[str]) -> str:
    """The known key that a key is a misspelling of; empty where there is none."""
    plain = {_plain(name): name for name in known}
    near = difflib.get_close_matches(_plain(key), plain, n=1, cutoff=_LEAST_LIKENESS)
    return plain[near[0]] if near else ""


def _plain(key: str) -> str:
    """A key without what differs between styles: minNodes, min-nodes and min_nodes are the same."""
    return re.sub(r"[-_ ]", "", key).lower()
