"""How the engine writes what is no plain value, and how it colors text: on the wire, in states, in its events."""

from __future__ import annotations

import re

SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 (the engine's marker of a secret, not one)
"""Key of a map that stands for a secret."""

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""A text that is not known yet, and what else is not typed."""

_COLOR = re.compile(r"<\{%.*?%\}>")


def plain(text: str) -> str:
    """A message without the engine's marks for colors."""
    return _COLOR.sub("", text)
