"""The last look at a report before it leaves: what is secret in one place is shown in no other.

A program that fails may print a password in its error, and a policy may quote the value that it refuses. The events say
which values are secret, so that these can be found there too. Long texts are cut only after that.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from atwork.engine import wire
from atwork.report.model import Change, Output, Property, StackReport
from atwork.report.values import SECRET, UNKNOWN_MARKS, hides, is_secret, join

_SHORTEST = 6
"""Letters; a shorter value is found in too many words."""
_LONGEST, _LONGEST_ERROR = 400, 2000
_SECRET_TEXT = re.compile(r"(?i)((?:password|token|secret)\s*[=:]\s*)\S+")
_VARIABLE = re.compile(r"\benv\[\d+\]\.value$")
_Sides = TypeVar("_Sides", Property, Output)
_MARKS = frozenset({"signature", "ciphertext", wire.SECRET})


def secrets(old: Any, new: Any, kind: str, path: str = "") -> Iterator[str]:
    """Texts that are known in clear on either side of a place that is secret on one."""
    if is_secret(old) or is_secret(new) or (hides(kind, path) and not _VARIABLE.search(path)):
        yield from _texts(old)
        yield from _texts(new)
        return
    if isinstance(old, Mapping) or isinstance(new, Mapping):
        before, after = (one if isinstance(one, Mapping) else {} for one in (old, new))
        for key in {**before, **after}:
            yield from secrets(before.get(key), after.get(key), kind, join(path, str(key)))
    if isinstance(old, list) or isinstance(new, list):
        first, second = (one if isinstance(one, list) else [] for one in (old, new))
        for index in range(max(len(first), len(second))):
            before, after = (one[index] if index < len(one) else None for one in (first, second))
            yield from secrets(before, after, kind, f"{path}[{index}]")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            if key == "plaintext" and wire.SECRET in value and isinstance(one, str):
                yield from _texts(_decoded(one))
            elif key not in _MARKS:
                yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str) and len(value) >= _SHORTEST and value != SECRET and value not in UNKNOWN_MARKS:
        yield value


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _forms(text: str) -> Iterator[str]:
    """How a text may stand in another: as it is, within JSON, on one line."""
    yield text
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield " ".join(text.split())


class Scrub:
    """Takes known secrets out of texts."""

    def __init__(self, known: Iterable[str]) -> None:
        forms = {form for one in known for form in _forms(one)}
        words = sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, words))) if words else None

    def text(self, text: str) -> str:
        """A text without them."""
        return self._known.sub(SECRET, text) if self._known else text

    def report(self, found: StackReport) -> StackReport:
        """A report without them, its long texts cut."""
        return found.model_copy(
            update={
                "changes": tuple(map(self._change, found.changes)),
                "outputs": tuple(map(self._side, found.outputs)),
                "policies": tuple(
                    one.model_copy(update={"message": self._told(one.message)}) for one in found.policies
                ),
                "errors": tuple(map(self._told, found.errors)),
            }
        )

    def _told(self, text: str) -> str:
        return _short(_SECRET_TEXT.sub(rf"\1{SECRET}", self.text(text)), _LONGEST_ERROR)

    def _change(self, one: Change) -> Change:
        properties = tuple(map(self._side, one.properties))
        return one if properties == one.properties else one.model_copy(update={"properties": properties})

    def _side(self, one: _Sides) -> _Sides:
        sides = {"old": one.old, "new": one.new}
        changed = {key: _short(self.text(text), _LONGEST) for key, text in sides.items() if text is not None}
        same = all(sides[key] == text for key, text in changed.items())
        return one if same else one.model_copy(update=changed)


def _short(text: str, longest: int) -> str:
    """A text cut to a length; the mark tells two long texts with one beginning apart."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… ({len(text)} characters, {hashlib.sha256(text.encode()).hexdigest()[:8]})"
