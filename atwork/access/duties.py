"""What every identity of the platform does."""

from __future__ import annotations


def methods() -> set[str]:
    """Every API method that an identity calls."""
    return set()
