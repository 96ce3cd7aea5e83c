"""Suggestions for names that the access model does not know."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggestion(name: str, names: Iterable[str]) -> str:
    """The end of a message about an unknown name: the known names that are most similar."""
    matches = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"; did you mean {', '.join(matches)}?" if matches else ""
