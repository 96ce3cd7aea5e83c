"""Generated names and numbers: random in appearance, the same in every run."""

from __future__ import annotations

import hashlib


def automatic_name(logical_name: str, seed: bytes, digits: int, *, salt: str) -> str:
    """`LOGICAL_NAME-HEX`; the same name for the same seed of the engine and the same salt."""
    return f"{logical_name}-{hashlib.sha256(seed + salt.encode()).hexdigest()[:digits]}"


def stable_hex(*parts: str, digits: int = 32) -> str:
    """Hexadecimal digits that depend only on the parts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:digits]


def stable_number(*parts: str, digits: int = 12) -> str:
    """A decimal number that depends only on the parts; its first digit is not 0."""
    value = int(stable_hex(*parts), 16) % (9 * 10 ** (digits - 1))
    return str(value + 10 ** (digits - 1))
