"""The names nearest to a wrong one, for messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def advice(wrong: str, known: Iterable[str], *, example: str) -> str:
    """What to write instead: the nearest names, or an example if none is near."""
    near = difflib.get_close_matches(wrong, list(known), n=3, cutoff=0.7)
    return f"did you mean {' or '.join(near)}?" if near else f"write one such as {example}"
