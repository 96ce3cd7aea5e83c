"""Texts of others inside Markdown: they cannot break out of their place or mention a user."""

from __future__ import annotations

from atwork.report.text import flat

LINE, SHORTEST_LINE = 400, 60
"""Maximum lengths of a line: where there is space, and where many lines share it."""
_VALUE = 200


def value(text: str | None, max_length: int = _VALUE) -> str:
    """A value on one line of a code block."""
    return "none" if text is None else flat(text, max_length)


def one_line(text: str, max_length: int) -> str:
    """A sentence on one line."""
    return flat(plain(text), max_length)


def plain(text: str) -> str:
    """Text without markup: no tags, no table cells, no mentions of users."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")
    return escaped.replace("@", "@\u200b").replace("`", "'")
