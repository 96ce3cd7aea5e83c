"""How wide text is, without a font: estimated for the widest of the fonts that may show it, so that it always fits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_WIDTHS = {**dict.fromkeys("iljI|'", 0.34), **dict.fromkeys(" .,:;!/()[]-·frt", 0.42), **dict.fromkeys("mMW@%w", 0.99)}
_LOWER, _UPPER, _OTHER = 0.635, 0.77, 1.05
_BOLD = 1.12

# Control characters, halves of pairs, and what turns the direction of text or has no width.
_UNPRINTABLE = re.compile(
    "[^\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def clean(text: str) -> str:
    """Text on one line and without what XML has no place for."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Width in pixels, rather too much than too little."""
    units = sum(_WIDTHS.get(one) or _of(one) for one in text)
    return units * size * (_BOLD if bold else 1.0)


def _of(one: str) -> float:
    if one.isascii():
        return _UPPER if one.isupper() else _LOWER
    return 0.7 if one in "\u2013\u00d7\u2212≤→⇐±…·é" else _OTHER


def fitted(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """The text, or its beginning with an ellipsis where it is too long."""
    if width(text, size, bold=bold) <= room:
        return text
    kept = text
    while kept and width(f"{kept}…", size, bold=bold) > room:
        kept = kept[:-1]
    return f"{kept.rstrip()}…" if kept.strip() else ""


def lines(facts: Sequence[str], room: float, size: float, between: str = " · ", *, bold: bool = False) -> list[str]:
    """Facts one after the other, on as many lines as they need; one that is too long for a line breaks at words."""
    found: list[str] = []
    for fact in facts:
        joined = f"{found[-1]}{between}{fact}" if found else fact
        if found and width(joined, size, bold=bold) <= room:
            found[-1] = joined
        else:
            found.extend(_words(fact, room, size, bold=bold))
    return found


def _words(fact: str, room: float, size: float, *, bold: bool) -> list[str]:
    found: list[str] = []
    for word in _parts(fact, room, size, bold=bold):
        joined = f"{found[-1]}{word}" if found else word
        if found and width(joined.rstrip(), size, bold=bold) <= room:
            found[-1] = joined
        else:
            found.append(word)
    return [line for line in (fitted(one.rstrip(), room, size, bold=bold) for one in found) if line]


def _parts(fact: str, room: float, size: float, *, bold: bool) -> Iterator[str]:
    """Words, and the parts of a word that is too long by itself."""
    for word in re.split(r"(?<=[ /])", fact):
        if width(word.rstrip(), size, bold=bold) <= room:
            yield word
        else:
            yield from re.split(r"(?<=[-_.])", word)
