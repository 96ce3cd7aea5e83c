"""The width of text without a font: an estimate for the widest of the usual fonts, so that text always fits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_WIDTHS = {**dict.fromkeys("iljI|'", 0.34), **dict.fromkeys(" .,:;!/()[]-·frt", 0.42), **dict.fromkeys("mMW@%w", 0.99)}
_LOWER, _UPPER, _OTHER = 0.635, 0.77, 1.05
_BOLD = 1.12

# Control characters, surrogates, and characters that change the direction of text or have no width.
_UNPRINTABLE = re.compile(
    "[^\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def clean(text: str) -> str:
    """Text on one line, without characters that XML does not allow."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Width in pixels, overestimated."""
    units = sum(_WIDTHS.get(character) or _width_of(character) for character in text)
    return units * size * (_BOLD if bold else 1.0)


def _width_of(character: str) -> float:
    if character.isascii():
        return _UPPER if character.isupper() else _LOWER
    return 0.7 if character in "\u2013\u00d7\u2212≤→⇐±…·é" else _OTHER


def truncated(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """The text, or its beginning with an ellipsis if it is too long."""
    if width(text, size, bold=bold) <= room:
        return text
    beginning = text
    while beginning and width(f"{beginning}…", size, bold=bold) > room:
        beginning = beginning[:-1]
    return f"{beginning.rstrip()}…" if beginning.strip() else ""


def wrapped(facts: Sequence[str], room: float, size: float, separator: str = " · ", *, bold: bool = False) -> list[str]:
    """Facts on as many lines as they need; a fact that is longer than a line breaks at words."""
    result: list[str] = []
    for fact in facts:
        joined = f"{result[-1]}{separator}{fact}" if result else fact
        if result and width(joined, size, bold=bold) <= room:
            result[-1] = joined
        else:
            result.extend(_wrapped_words(fact, room, size, bold=bold))
    return result


def _wrapped_words(fact: str, room: float, size: float, *, bold: bool) -> list[str]:
    result: list[str] = []
    for word in _parts(fact, room, size, bold=bold):
        joined = f"{result[-1]}{word}" if result else word
        if result and width(joined.rstrip(), size, bold=bold) <= room:
            result[-1] = joined
        else:
            result.append(word)
    return [line for line in (truncated(item.rstrip(), room, size, bold=bold) for item in result) if line]


def _parts(fact: str, room: float, size: float, *, bold: bool) -> Iterator[str]:
    """Words, and the parts of a word that is longer than a line."""
    for word in re.split(r"(?<=[ /])", fact):
        if width(word.rstrip(), size, bold=bold) <= room:
            yield word
        else:
            yield from re.split(r"(?<=[-_.])", word)
