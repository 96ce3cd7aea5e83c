"""How each kind of change is shown: its sign, its label and its style class."""

from __future__ import annotations

KINDS = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted", "guard": "protection"}
_SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "\u2212", "guard": "!"}
"""The same signs as in the report; protection is `!`, because not every font has a lock."""


def sign(kind: str) -> str:
    """The sign of a kind of change."""
    return _SIGNS.get(kind, "?")


def order(kind: str) -> tuple[int, str]:
    """A sort key for kinds."""
    known = list(_SIGNS)
    return (known.index(kind) if kind in known else len(known), kind)


def style(kind: str) -> str:
    """The class with the color of a kind of change."""
    return kind if kind in KINDS else "other"
